// The study as a timeline of jsPsych: consent, practice with feedback, then pairs of pictures.
"use strict";

const SIDES = ["left", "right"];
const GUARD = 400; // milliseconds before a choice counts, so that a double click does not choose twice
const jsPsych = initJsPsych({ display_element: "study" });

function page(html, button, more = {}) {
  return {
    type: jsPsychHtmlButtonResponse,
    stimulus: html,
    choices: button ? [button] : [],
    on_load: () => document.querySelector(".jspsych-btn")?.focus({ preventScroll: true }),
    ...more,
  };
}

function consent(agreed) {
  const stored = {
    server: "your choices, how long each took, and a random number in place of a name. Your browser remembers a random key, so that you can close this page and go on later",
    download: "your choices and how long each took, in a file that you save and send yourself",
    turk: "your choices and how long each took; your worker ID is replaced by an irreversible number",
  }[facts.mode];
  const terms = facts.terms ? `<li>The pictures: ${escaped(facts.terms)}</li>` : "";
  return page(
    `<div class="text"><h1>${escaped(facts.question)}</h1><p>${escaped(facts.purpose)}</p>
      <p>You will see ${facts.trials} pairs of pictures, and choose one of each. There is no time limit; most people
      need about ${facts.minutes} minutes.${facts.practice ? ` The first ${facts.practice} are for practice.` : ""}</p>
      <ul><li>Taking part is voluntary, and you can stop at any time.</li>
      <li>What is stored: ${stored}. Not stored: your name, your network address, your browser's details.</li>
      ${terms}<li>Questions: ${escaped(facts.contact)}</li></ul></div>`,
    "I agree, begin",
    { simulation_options: { data: { response: 0 } }, on_finish: agreed },
  );
}

function above(trial) {
  const figures = [["condition", "The person"], ["pose", "The wanted pose"]]
    .filter(([key]) => trial[key])
    .map(([key, caption]) => `<figure><img src="${facts.base}${trial[key]}" alt=""><figcaption>${caption}</figcaption></figure>`);
  return figures.length ? `<div class="above">${figures.join("")}</div>` : "";
}

function choice(trial, place, count) {
  const name = trial.real ? "Practice" : `${place + 1 - facts.practice} of ${count - facts.practice}`;
  return {
    type: jsPsychHtmlButtonResponse,
    stimulus: `${above(trial)}<p class="question">${escaped(facts.question)}</p>`,
    choices: SIDES.map((side) => facts.base + trial[side]),
    button_html: (address, index) =>
      `<button class="jspsych-btn picture" aria-label="The ${SIDES[index]} picture"><img src="${address}" alt=""></button>`,
    prompt: `<p class="progress"><progress max="${count}" value="${place}"></progress> ${name}</p>`,
    enable_button_after: GUARD,
    on_finish: (data) => sink.save(place, SIDES[data.response], Math.round(data.rt)),
  };
}

function feedback(trial) {
  const answered = () => SIDES[jsPsych.data.get().last(1).values()[0].response];
  const text = () => answered() === trial.real
    ? "<p class='question'>Correct.</p>"
    : `<p class="question">The picture on the ${trial.real} was the more natural one.</p><p>Please look at both before you choose.</p>`;
  return page(text, "Go on");
}

function trials(list, answered) {
  const timeline = [];
  for (const [place, trial] of list.entries()) {
    if (answered.has(place)) continue;
    timeline.push(choice(trial, place, list.length));
    if (trial.real) timeline.push(feedback(trial));
    if (place === facts.practice - 1) timeline.push(page("<p class='question'>The practice ends here.</p>", "Begin"));
  }
  return timeline;
}

function preload(list, answered) {
  const left = list.filter((_, place) => !answered.has(place));
  const addresses = left.flatMap((trial) => ["left", "right", "condition", "pose"].map((key) => trial[key]).filter(Boolean));
  return {
    type: jsPsychPreload,
    images: [...new Set(addresses)].map((address) => facts.base + address),
    message: "<p>The pictures are loading.</p>",
    error_message: "<p>Some pictures did not load. Please load this page again; nothing is lost.</p>",
  };
}

// A script instead of a request: it also works from a folder on the disk, and inside Mechanical Turk's page.
function slotTrials(slot) {
  return new Promise((resolve, reject) => {
    window.setTrials = resolve;
    const script = document.createElement("script");
    script.src = `${facts.base}slots/${slot}.js`;
    script.onerror = () => reject(new Error("The study did not load. Please load this page again."));
    document.head.append(script);
  });
}

function play(timeline) {
  document.getElementById("study").replaceChildren(); // jsPsych leaves the frame of the timeline before
  return simulation ? jsPsych.simulate(timeline, simulation) : jsPsych.run(timeline);
}

function end(html) {
  const study = document.getElementById("study");
  study.innerHTML = `<div class="text">${html}</div>`;
  study.dataset.ended = "true";
}

document.addEventListener("keydown", (event) => {
  const place = ["ArrowLeft", "ArrowRight"].indexOf(event.key);
  document.querySelector(`.picture[data-choice="${place}"]`)?.click();
});

async function main() {
  try {
    let state = await sink.resume();
    if (!state) {
      let failed;
      const agreed = async () => {
        state = await sink.begin().catch((error) => { failed = error; });
      };
      await play([consent(agreed)]);
      if (failed) throw failed;
    }
    const list = await slotTrials(state.slot);
    const timeline = trials(list, state.answered);
    if (timeline.length) await play([preload(list, state.answered), ...timeline]);
    end(`<h1>Thank you</h1>${await sink.finish()}`);
  } catch (error) {
    end(`<h1>This did not work</h1><p>${escaped(error.message)}</p>`);
  }
}

main();
