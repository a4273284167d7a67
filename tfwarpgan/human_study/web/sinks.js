// Where answers go: to the study's own server, into a file that the rater saves, or to Mechanical Turk.
// Each sink has begin() -> {slot, answered: Set of places} or null, save(place, side, milliseconds), finish() -> HTML.
"use strict";

const facts = JSON.parse(document.getElementById("facts").textContent);
const query = new URLSearchParams(location.search);
const simulation = ["visual", "data-only"].find((mode) => mode === query.get("simulate"));
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function escaped(text) {
  const element = document.createElement("span");
  element.textContent = text;
  return element.innerHTML;
}

function warn(text) {
  const notice = document.getElementById("notice");
  notice.querySelector(".warning")?.remove();
  if (text) notice.insertAdjacentHTML("afterbegin", `<p class="warning">${escaped(text)}</p>`);
}

class ServerSink {
  remembered = `tfwarpgan-study-${facts.study}`;
  token = simulation ? null : localStorage.getItem(this.remembered);

  // One POST; tried again until the server has answered, since nothing is lost or doubled by that.
  async post(path, body) {
    for (let wait = 500; ; wait = Math.min(2 * wait, 8000)) {
      const headers = { "Content-Type": "application/json" };
      if (this.token) headers.Authorization = `Bearer ${this.token}`;
      const options = { method: "POST", headers, body: JSON.stringify(body), credentials: "omit", cache: "no-store" };
      const response = await fetch(path, options).catch(() => null);
      if (response && response.status !== 429 && response.status < 500) {
        warn("");
        return response;
      }
      if (wait > 500) warn("The server does not answer. Your last answer is kept and sent again; please wait.");
      await pause(wait);
    }
  }

  async resume() {
    if (!this.token) return null;
    const response = await this.post("state", {});
    if (response.ok) return this.joined(await response.json());
    this.forget();
    return null;
  }

  async begin() {
    const response = await this.post("join", { simulated: Boolean(simulation) });
    const state = await response.json();
    if (!response.ok) throw new Error(state.error);
    this.token = state.token;
    if (!simulation) localStorage.setItem(this.remembered, this.token);
    return this.joined(state);
  }

  joined(state) {
    this.rater = state.rater;
    const withdraw = '<button type="button">Withdraw and delete my answers</button>';
    document.getElementById("notice").innerHTML = `Your number: <span class="number">${escaped(state.rater)}</span> · ${withdraw}`;
    document.querySelector("#notice button").onclick = () => this.withdraw();
    return { slot: state.slot, answered: new Set(state.answered) };
  }

  async save(trial, side, milliseconds) {
    const response = await this.post("answer", { trial, side, milliseconds });
    if (!response.ok && response.status !== 409) throw new Error((await response.json()).error);
  }

  async withdraw() {
    if (!confirm("Delete all your answers, and end here?")) return;
    await this.post("withdraw", {});
    this.forget();
    document.body.innerHTML = '<main id="study"><p class="text">Your answers are deleted. Thank you.</p></main>';
  }

  forget() {
    this.token = null;
    localStorage.removeItem(this.remembered);
  }

  async finish() {
    return `<p>Your answers are saved. To have them deleted later, name this number to the researchers:
      <b class="number">${escaped(this.rater)}</b></p>`;
  }
}

class CollectingSink {
  answers = [];

  async resume() {
    return null;
  }

  async begin() {
    const wanted = Number.parseInt(query.get("slot") ?? facts.slot, 10);
    const known = wanted >= 0 && wanted < facts.slots;
    this.slot = known ? wanted : Math.floor(Math.random() * facts.slots);
    return { slot: this.slot, answered: new Set() };
  }

  async save(trial, side, milliseconds) {
    this.answers.push([trial, side, milliseconds]);
  }

  results() {
    return { study: facts.study, slot: this.slot, simulated: Boolean(simulation), answers: this.answers };
  }
}

class DownloadSink extends CollectingSink {
  async finish() {
    const rater = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const text = JSON.stringify({ rater, ...this.results() });
    const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    return `<p>Save your answers, and send the file to the researchers:
      <a download="answers-${rater}.json" href="${address}">answers-${rater}.json</a></p>`;
  }
}

class TurkSink extends CollectingSink {
  async begin() {
    if (query.get("assignmentId") === "ASSIGNMENT_ID_NOT_AVAILABLE") throw new Error("Accept the HIT to begin.");
    return super.begin();
  }

  async finish() {
    const field = document.getElementById("answers");
    const own = document.getElementById("own_form"); // Mechanical Turk's site may have put its own form around it
    if (own) {
      own.elements.assignmentId.value = query.get("assignmentId") ?? "";
      own.action = `${query.get("turkSubmitTo") ?? "https://www.mturk.com"}/mturk/externalSubmit`;
    }
    field.value = JSON.stringify(this.results());
    setTimeout(() => field.form.submit(), 500);
    return "<p>Your answers are being submitted.</p>";
  }
}

const sink = new { server: ServerSink, download: DownloadSink, turk: TurkSink }[facts.mode]();
