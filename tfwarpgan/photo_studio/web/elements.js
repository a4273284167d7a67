// Parts of the page that are made of what the server tells.
import { node, side } from "./editor.js";

const FACE = /nose|eye|ear/;
const HEAD = 0.06; // radius in the gallery, of the picture's height

// The button of a pose of the gallery.
export function thumb(facts, { name, joints }) {
  const [height, width] = facts.size;
  const button = Object.assign(document.createElement("button"), { type: "button", className: "thumb", title: name });
  const isBody = (limb) => limb.every((index) => joints[index] && !FACE.test(facts.names[index]));
  const lines = facts.limbs.filter(isBody).map(([first, last]) => {
    const [[y1, x1], [y2, x2]] = [joints[first], joints[last]];
    return node("line", { x1, y1, x2, y2, class: side(facts.names[last]) });
  });
  const [y, x] = joints[0] ?? joints[16] ?? joints[1];
  const head = node("circle", { cx: x, cy: y, r: height * HEAD });
  button.setAttribute("aria-label", name);
  button.setAttribute("aria-pressed", false);
  button.append(node("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": true }, ...lines, head));
  return button;
}

// What is known of sleeves or legs.
export function clothesSelect([name, values]) {
  const select = Object.assign(document.createElement("select"), { name });
  select.append(...values.map((value) => new Option(value === "auto" ? "as the colors say" : value, value)));
  const label = Object.assign(document.createElement("label"), { textContent: name[0].toUpperCase() + name.slice(1) });
  label.append(select);
  return label;
}

// A step from the photograph to the picture.
export function stepFigure([name, address]) {
  const figure = document.createElement("figure");
  const caption = Object.assign(document.createElement("figcaption"), { textContent: name });
  figure.append(Object.assign(document.createElement("img"), { src: address, alt: `Step: ${name}` }), caption);
  return figure;
}
