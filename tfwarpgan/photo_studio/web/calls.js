// What the server does for the page.
const TRIES = 5;
const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

export async function facts() {
  return (await fetch("facts.json")).json();
}

// The answer to a call; told: is given a sentence while others are served first.
export async function call(name, values, told = () => {}) {
  const body = JSON.stringify(values);
  for (let tries = 1; ; tries += 1) {
    let response;
    try {
      response = await fetch(name, { method: "POST", headers: { "Content-Type": "application/json" }, body });
    } catch {
      throw new Error("The studio does not answer; is it still running?");
    }
    const answer = await response.json();
    if (response.ok) return answer;
    if (response.status !== 503 || tries === TRIES) throw new Error(answer.error);
    told(answer.error);
    await wait(Number(response.headers.get("Retry-After") ?? 2));
  }
}
