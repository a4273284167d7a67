// The page: a photograph with its joints, a pose, and what is drawn of both. Nothing is kept but in this tab.
import { call, facts as readFacts } from "./calls.js";
import { Editor } from "./editor.js";
import { clothesSelect, stepFigure, thumb } from "./elements.js";
import { Camera, shrunk } from "./photographs.js";

const FRAMES_A_POSE = 4; // of a movement through the gallery
const BY_HAND = "Started without a pose estimator: drag the joints onto the person; a bone moves all of them.";
const OTHERS = "Several people are seen; for another one, drag the skeleton there by a bone, and find joints there.";
const SETTLED = 350; // milliseconds after the last change of the photograph's joints
const $ = (id) => document.getElementById(id);
const facts = await readFacts();
const [height, width] = facts.size;
const camera = new Camera($("camera"), $("video"));
const person = new Editor($("person-editor"), $("person-tray"), facts, personChanged);
const pose = new Editor($("pose-editor"), $("pose-tray"), facts, poseChanged);
let photograph = null; // { address, height, width }
let own = null; // the person's joints in pixels of the crop, once it is known
let isFitted = false; // whether the pose has been fitted to this person
let isDrawing = false;
let settling = 0;
let latest = 0; // number of the newest crop that was asked for
let latestPose = 0; // the same of poses
let posing = 0; // poses on their way: none is drawn before they have come

// --- What is told ---------------------------------------------------------------------------------------------------

function tell(sentence, isWrong = false) {
  $("status").textContent = sentence;
  $("status").classList.toggle("wrong", isWrong);
}

function enable() {
  for (const id of ["draw", "animate"]) $(id).disabled = !own || isDrawing || posing > 0;
  for (const id of ["fit", "own"]) $(id).disabled = !own;
  $("undo-person").disabled = !person.history.length;
  $("undo-pose").disabled = !pose.history.length;
}

async function attempt(action) {
  try {
    await action();
  } catch (error) {
    tell(error.message, true);
  }
  enable();
}

// --- The photograph -------------------------------------------------------------------------------------------------

async function open(blob) {
  if (!blob) return;
  tell("Reading the photograph …");
  const chosen = (photograph = await shrunk(blob));
  own = null;
  isFitted = false;
  enable();
  $("drop").hidden = true;
  $("person").hidden = false;
  $("result").hidden = $("crop").hidden = $("save").hidden = $("pasted-figure").hidden = true;
  $("step-list").replaceChildren();
  person.setPicture(photograph.height, photograph.width, photograph.address, Math.max(1, photograph.height / height));
  person.points = [];
  person.set(standing(), true);
  if (!facts.finds) tell(BY_HAND);
  const isFound = facts.finds && (await find());
  if (photograph === chosen) await crop(isFound);
}

// A standing person in the middle of the photograph.
function standing() {
  const scale = Math.min(photograph.height / height, photograph.width / width);
  const [top, left] = [(photograph.height - height * scale) / 2, (photograph.width - width * scale) / 2];
  return facts.poses[0].joints.map((joint) => joint && [top + joint[0] * scale, left + joint[1] * scale]);
}

// Whether the person is found, in a box or anywhere.
async function find(box = null) {
  const looked = photograph;
  tell("Looking for the person …");
  try {
    const found = await call("find", { image: looked.address, box }, tell);
    if (photograph !== looked) return false; // another one has been chosen since
    person.set(found.joints, !box);
    tell(found.others ? OTHERS : "");
    return true;
  } catch (error) {
    if (photograph === looked) tell(error.message, true);
    return false;
  }
}

// The rectangle around the skeleton, with hair, hands and feet.
function box() {
  const seen = person.points.filter(({ shown }) => shown);
  const [x, y] = ["x", "y"].map((axis) => seen.map((point) => point[axis]));
  const extent = (values) => Math.max(...values) - Math.min(...values);
  const room = 0.15 * Math.max(extent(x), extent(y));
  return [Math.min(...x) - room, Math.min(...y) - room, extent(x) + 2 * room, extent(y) + 2 * room];
}

function personChanged() {
  enable();
  clearTimeout(settling);
  settling = setTimeout(() => attempt(() => crop()), SETTLED);
}

// isDone: whether what was wrong before is done with.
async function crop(isDone = true) {
  const number = (latest += 1);
  let found;
  try {
    found = await call("crop", given());
  } catch (error) {
    if (number === latest) own = null;
    throw error;
  }
  if (number !== latest) return;
  own = found.joints;
  person.setFrame(...found.window);
  pose.setPicture(height, width, found.crop);
  $("crop").src = found.crop;
  $("crop").hidden = false;
  if (isDone && found.notes.length) tell(`Note: ${found.notes.join(" ")}`);
  else if (isDone && $("status").classList.contains("wrong")) tell("");
  if (!isFitted) await fit();
  isFitted = true;
  enable();
}

// What every call that needs the person takes.
function given() {
  const clothes = [...$("clothes").querySelectorAll("select")].map((select) => [select.name, select.value]);
  return { image: photograph.address, joints: person.value, ...Object.fromEntries(clothes) };
}

// --- The pose -------------------------------------------------------------------------------------------------------

function poseChanged() {
  for (const thumb of $("gallery").children) thumb.setAttribute("aria-pressed", false);
  enable();
}

async function fitted(poses) {
  return own ? (await call("fit", { poses, person: own })).poses : poses;
}

// Shows a pose, fitted to the person; whether no other one has been asked for since.
async function put(joints) {
  const number = (latestPose += 1);
  posing += 1;
  enable();
  try {
    const [found] = await fitted([joints]);
    if (number === latestPose) pose.set(found);
  } finally {
    posing -= 1;
  }
  return number === latestPose;
}

const fit = () => put(pose.value);

function mirror() {
  pose.set(facts.mirrored.map((other) => {
    const joint = pose.value[other];
    return joint && [joint[0], width - 1 - joint[1]];
  }));
  poseChanged();
}

async function choose(thumb, joints) {
  if (!(await put(joints))) return;
  poseChanged();
  thumb.setAttribute("aria-pressed", true);
}

async function poseFrom(blob) {
  if (!blob) return;
  tell("Looking for the pose …");
  const other = await shrunk(blob);
  const { joints } = await call("find", { image: other.address }, tell);
  const scale = Math.min(height / other.height, width / other.width);
  if (await put(joints.map((joint) => joint && joint.map((value) => value * scale)))) poseChanged();
  tell("");
}

// --- The picture ----------------------------------------------------------------------------------------------------

async function busy(action, sentence) {
  if (isDrawing) return;
  isDrawing = true;
  enable();
  $("result-cell").classList.add("busy");
  const began = performance.now();
  tell(sentence);
  try {
    const what = await action();
    tell(`${what} in ${((performance.now() - began) / 1000).toFixed(1)} s.`);
  } finally {
    isDrawing = false;
    $("result-cell").classList.remove("busy");
  }
}

function present(address, name) {
  Object.assign($("result"), { src: address, hidden: false });
  Object.assign($("save"), { href: address, download: name, hidden: false });
}

async function draw() {
  const isPasted = $("paste").checked;
  const values = { ...given(), pose: pose.value, steps: $("steps").open, paste: isPasted };
  const { picture, pasted, steps } = await call("draw", values, tell);
  present(picture, "picture.png");
  $("result-caption").textContent = "in the new pose";
  $("pasted-figure").hidden = !pasted;
  if (pasted) $("pasted").src = $("save-pasted").href = pasted;
  if (steps) $("step-list").replaceChildren(...Object.entries(steps).map(stepFigure));
  return "Drawn";
}

async function animate() {
  const isGallery = $("movement").value === "gallery";
  const poses = isGallery ? await fitted(facts.poses.map(({ joints }) => joints)) : [own, pose.value];
  const frames = isGallery ? Math.min(facts.mostFrames, FRAMES_A_POSE * poses.length) : facts.frames;
  const kind = $("kind").value;
  const answer = await call("animate", { ...given(), poses, frames, kind }, tell);
  present(answer.animation, `animation${kind}`);
  $("result-caption").textContent = "moving";
  return `${answer.frames} frames`;
}

// --- What is pressed ------------------------------------------------------------------------------------------------

const ACTIONS = {
  camera: () => camera.open(),
  shoot: async () => open(await camera.shoot()),
  "close-camera": () => $("camera").close(),
  find: async () => {
    if (await find(box())) await crop();
  },
  larger: () => person.scale(1.08),
  smaller: () => person.scale(1 / 1.08),
  "undo-person": () => person.undo(),
  "undo-pose": () => pose.undo(),
  fit,
  mirror,
  own: () => {
    pose.set(own);
    poseChanged();
  },
  draw: () => busy(draw, "Drawing …"),
  animate: () => busy(animate, "Drawing the frames …"),
};

function takesFile(id, action) {
  $(id).addEventListener("change", () => {
    const [file] = $(id).files;
    $(id).value = ""; // so that the same file can be chosen again
    attempt(() => action(file));
  });
}

$("about").textContent = facts.about;
for (const each of facts.poses) {
  const button = thumb(facts, each);
  button.addEventListener("click", () => attempt(() => choose(button, each.joints)));
  $("gallery").append(button);
}
$("clothes").append(...Object.entries(facts.clothes).map(clothesSelect));
$("clothes").addEventListener("change", personChanged);
$("find").hidden = !facts.finds;
$("pose-from").hidden = $("pose-file").hidden = !facts.finds;
$("paste-row").hidden = !facts.pastes;
document.documentElement.style.setProperty("--ratio", `${width} / ${height}`);
pose.setPicture(height, width);
pose.set(facts.poses[0].joints, true);
$("gallery").firstChild.setAttribute("aria-pressed", true);
takesFile("file", open);
takesFile("pose-file", poseFrom);
$("steps").addEventListener("toggle", () => {
  if ($("steps").open && own && !$("result").hidden && !$("step-list").querySelector("img")) attempt(ACTIONS.draw);
});
document.addEventListener("click", ({ target }) => {
  const action = ACTIONS[target.closest("[data-do]")?.dataset.do];
  if (action) attempt(action);
});
document.addEventListener("paste", ({ clipboardData }) => {
  const file = [...clipboardData.files].find(({ type }) => type.startsWith("image/"));
  if (file) attempt(() => open(file));
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault(); // also beside the photograph's place, where a browser would leave the page for the file
    $("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop") attempt(() => open(event.dataTransfer.files[0]));
  });
}
document.body.dataset.ready = "true";
