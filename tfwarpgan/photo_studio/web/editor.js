// A skeleton that is dragged, or moved by keys: joints of one pose over a picture, in pixels of that picture.
// Pixel centers are at whole numbers, as everywhere in the package; the drawing's own are at halves.
const SVG = "http://www.w3.org/2000/svg";
const RADIUS = 5.5; // of a joint, pixels of the screen
const REACH = 20; // pixels of the screen within which it is taken
const ROOM = 0.09; // of the picture's height, around it, where joints that lie outside can still be reached
const LEAST = 0.03; // of the picture's height below which a skeleton cannot be shrunk

export function node(name, attributes, ...children) {
  const made = put(document.createElementNS(SVG, name), attributes);
  made.append(...children);
  return made;
}

function put(element, attributes) {
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

export const side = (name) => (/^(right|left)/.exec(name) ?? ["middle"])[0];

export class Editor {
  // svg, tray: elements; facts: names and limbs of the joints; changed: is called after each change by the user.
  constructor(svg, tray, facts, changed) {
    Object.assign(this, { svg, tray, facts, changed, history: [], points: [], step: 1 });
    this.image = svg.appendChild(node("image", { preserveAspectRatio: "none" }));
    this.frame = svg.appendChild(node("rect", { class: "frame" }));
    this.lines = facts.limbs.map(([, last]) => svg.appendChild(node("line", { class: side(facts.names[last]) })));
    this.joints = facts.names.map((name, index) => svg.appendChild(this.joint(name, index)));
    this.rings = facts.names.map((name, index) => this.ring(name, index));
    svg.addEventListener("pointerdown", (event) => this.pressed(event));
    svg.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.show()).observe(svg);
  }

  joint(name, index) {
    const drawn = node("g", {
      class: side(name), tabindex: 0, role: "slider", "aria-label": name, "aria-roledescription": "joint",
      "aria-valuemin": 0, "data-joint": index,
    });
    drawn.append(node("title", {}, name), node("circle", { class: "hit" }), node("circle", { class: "dot" }));
    return drawn;
  }

  ring(name, index) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = `ring ${side(name)}`;
    made.title = `Show the ${name}`;
    made.setAttribute("aria-label", made.title);
    made.addEventListener("click", () => {
      this.remember();
      this.points[index] = { ...this.birthplace(index), shown: true };
      this.edited();
      this.joints[index].focus();
    });
    return made;
  }

  // The picture: its size, what is shown of it, and by how many pixels a key moves a joint.
  setPicture(height, width, address, step = 1) {
    Object.assign(this, { height, width, step });
    const room = height * ROOM;
    this.svg.setAttribute("viewBox", `${-room} ${-room} ${width + 2 * room} ${height + 2 * room}`);
    this.room = room;
    put(this.image, { width, height, href: address ?? "" });
    this.image.toggleAttribute("hidden", !address);
    this.setFrame(0, 0, height, width);
  }

  setFrame(top, left, height, width) {
    put(this.frame, { x: left, y: top, height, width });
  }

  // Joints as the calls have them: [y, x] or null.
  get value() {
    return this.points.map(({ x, y, shown }) => (shown ? [y, x] : null));
  }

  set(joints, isNew = false) {
    if (isNew) this.history = [];
    else this.remember();
    this.points = joints.map((joint, index) =>
      joint ? this.inside({ y: joint[0], x: joint[1], shown: true }) : { ...this.points[index], shown: false });
    this.show();
  }

  remember() {
    if (this.points.length) this.history.push(this.points.map((point) => ({ ...point })));
    this.history.splice(0, this.history.length - 100);
  }

  undo() {
    if (this.history.length) this.points = this.history.pop();
    this.edited();
  }

  edited() {
    this.show();
    this.changed();
  }

  // Where a joint lies, inside of what can be reached.
  inside(point) {
    const within = (value, size) => Math.min(Math.max(value, -this.room), size - 1 + this.room);
    return { ...point, x: within(point.x, this.width), y: within(point.y, this.height) };
  }

  // Where a hidden joint comes back: where it was, else between the joints that it hangs on.
  birthplace(index) {
    if (this.points[index].x !== undefined) return this.points[index];
    const near = this.facts.limbs.filter((limb) => limb.includes(index)).flat().map((each) => this.points[each]);
    const seen = near.filter(({ shown }) => shown);
    const sum = (axis) => seen.reduce((total, point) => total + point[axis], 0);
    const mean = (axis, size) => (seen.length ? sum(axis) / seen.length : size / 2);
    return this.inside({ x: mean("x", this.width) + 0.03 * this.height, y: mean("y", this.height) });
  }

  // Moves one joint, or all if index is null.
  move(index, dx, dy) {
    const isMoved = (point, place) => point.shown && (index === null || place === index);
    this.points = this.points.map((point, place) =>
      isMoved(point, place) ? this.inside({ ...point, x: point.x + dx, y: point.y + dy }) : point);
  }

  scale(factor) {
    const seen = this.points.filter(({ shown }) => shown);
    const middle = (axis) => (Math.min(...seen.map((p) => p[axis])) + Math.max(...seen.map((p) => p[axis]))) / 2;
    const [x, y] = [middle("x"), middle("y")];
    const extent = Math.max(...seen.map((point) => Math.abs(point.y - y))) * 2;
    if (factor < 1 && extent < LEAST * this.height) return;
    this.remember();
    this.points = this.points.map((point) =>
      point.shown ? this.inside({ ...point, x: x + (point.x - x) * factor, y: y + (point.y - y) * factor }) : point);
    this.edited();
  }

  hide(index) {
    this.remember();
    this.points[index].shown = false;
    this.edited();
    this.rings[index].focus();
  }

  pressed(event) {
    const matrix = this.svg.getScreenCTM().inverse();
    const place = ({ clientX, clientY }) => new DOMPoint(clientX, clientY).matrixTransform(matrix);
    let last = place(event);
    const distance = ({ x, y, shown }) => (shown ? Math.hypot(x + 0.5 - last.x, y + 0.5 - last.y) : Infinity);
    const distances = this.points.map(distance);
    let index = distances.indexOf(Math.min(...distances));
    const isNear = distances[index] < REACH * matrix.a;
    if (!isNear && !event.target.matches("line")) return;
    if (!isNear) index = null;
    event.preventDefault();
    if (index !== null) this.joints[index].focus({ preventScroll: true });
    this.svg.setPointerCapture(event.pointerId);
    let isMoved = false;
    const drag = (moving) => {
      if (!isMoved) this.remember();
      isMoved = true;
      const next = place(moving);
      this.move(index, next.x - last.x, next.y - last.y);
      last = next;
      this.show();
    };
    const end = () => {
      this.svg.removeEventListener("pointermove", drag);
      if (isMoved) this.edited();
    };
    this.svg.addEventListener("pointermove", drag);
    this.svg.addEventListener("lostpointercapture", end, { once: true });
  }

  key(event) {
    const index = Number(event.target.closest("[data-joint]")?.dataset.joint ?? NaN);
    if (Number.isNaN(index)) return;
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (direction) {
      const length = this.step * (event.shiftKey ? 4 : 1);
      this.remember();
      this.move(event.altKey ? null : index, direction[0] * length, direction[1] * length);
      this.edited();
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.hide(index);
    } else if (event.key === "z" && (event.ctrlKey || event.metaKey)) {
      this.undo();
    } else {
      return;
    }
    event.preventDefault();
  }

  show() {
    const matrix = this.svg.getScreenCTM();
    if (!matrix || !this.points.length) return;
    this.facts.limbs.forEach(([first, last], index) => {
      const [a, b] = [this.points[first], this.points[last]];
      const isShown = a.shown && b.shown;
      this.lines[index].toggleAttribute("hidden", !isShown);
      if (isShown) put(this.lines[index], { x1: a.x + 0.5, y1: a.y + 0.5, x2: b.x + 0.5, y2: b.y + 0.5 });
    });
    this.points.forEach(({ x, y, shown }, index) => {
      const joint = this.joints[index];
      joint.toggleAttribute("hidden", !shown);
      if (!shown) return;
      const outside = x < -0.5 || y < -0.5 || x > this.width - 0.5 || y > this.height - 0.5;
      joint.classList.toggle("outside", outside);
      const [hit, circle] = joint.querySelectorAll("circle");
      put(hit, { cx: x + 0.5, cy: y + 0.5, r: REACH / matrix.a });
      put(circle, { cx: x + 0.5, cy: y + 0.5, r: RADIUS / matrix.a });
      const told = `${Math.round(x)} across, ${Math.round(y)} down`;
      put(joint, { "aria-valuemax": this.width - 1, "aria-valuenow": Math.round(x), "aria-valuetext": told });
    });
    const hidden = this.rings.filter((_, index) => !this.points[index].shown);
    const isNew = (ring, place) => this.tray.children[place] !== ring;
    if (hidden.length !== this.tray.children.length || hidden.some(isNew)) this.tray.replaceChildren(...hidden);
  }
}
