// The page: it shows what the server says, and asks it for what people want.
import { words } from "/static/words.js";
import { Viewer } from "/static/viewer.js";

const $ = (id) => document.getElementById(id);
const ACTIVE = ["waiting", "working"];
const SOON = 400, LATER = 2000; // milliseconds until the next look at the server
const chosen = { picture: null, result: null, page: 0, models: {} };
const uploads = new Map(); // name of what is being sent -> share
let state = { pictures: [], models: [] };
let asked = 0; // looks at the server that are under way

for (const element of document.querySelectorAll("[data-word]")) element.textContent = words[element.dataset.word];
for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", words[element.dataset.label]);
for (const element of document.querySelectorAll("[data-alt]")) element.alt = words[element.dataset.alt];
// The server says in a sentence why a picture can't be shown.
const viewer = new Viewer(words, (address) => ask(address).catch((error) => complain(error.message)));

// Talking with the server

async function ask(path, method = "GET", content) {
  let answer;
  try {
    answer = await fetch(path, { method, body: content === undefined ? undefined : JSON.stringify(content) });
  } catch {
    throw new Error(words.lost);
  }
  const reply = await answer.json().catch(() => null);
  if (!answer.ok) throw new Error(reply?.error || answer.statusText);
  return reply;
}

// Does something; what goes wrong is told in a sentence.
async function attempt(action) {
  try {
    complain("");
    await action();
  } catch (error) {
    complain(error.message);
  }
  await look();
}

// An equal sentence is not said again.
function complain(text) {
  if ($("problem").textContent !== text) $("problem").textContent = text;
  $("problem").hidden = !text;
}

let timer, isLost = false;
async function look() {
  clearTimeout(timer);
  asked += 1;
  const number = asked;
  try {
    const reply = await ask("/state");
    if (number !== asked) return; // a later look is under way
    if (isLost) complain("");
    isLost = false;
    state = reply;
    show();
  } catch (error) {
    isLost = true;
    complain(error.message);
  }
  const busy = uploads.size || state.pictures.some((p) =>
    p.results.some((r) => ACTIVE.includes(r.state)) || p.noise === null || p.training?.state === "working");
  timer = setTimeout(look, busy ? SOON : LATER);
}

// What is chosen

const picture = () => state.pictures.find((p) => p.id === chosen.picture);
const fitting = (p) => state.models.filter((m) => m.channels === p.channels);
const model = () => state.models.find((m) => m.name === $("model").value);
const nameOf = (m) => m.label || words.trainedOn(m.trained_on);
const labelOf = (r) => {
  const known = state.models.find((m) => m.name === r.model);
  const strength = r.strength === 1 ? "" : ` ${words.percent(Math.round(100 * r.strength))}`;
  return (known ? nameOf(known) : r.model.split(/[\\/]/).at(-1)) + (r.calibrate ? `, ${words.calibrated}` : "") + strength;
};

function wanted(strength = Number($("strength").value)) {
  const known = model();
  const level = Number($("level").value);
  const calibrate = known.calibrates && $("calibrate").checked; // finds the level itself
  return {
    model: known.name,
    strength,
    noise_level: known.takes_level && !calibrate && level > 0 ? level : null,
    calibrate,
  };
}

const same = (a, b) => a.model === b.model && a.strength === b.strength && a.noise_level === b.noise_level && a.calibrate === b.calibrate;
// What another version or other settings of the program made is shown, but made anew when asked for.
const resultOf = (p, wish) => p.results.findLast((r) => r.is_current && same(r, wish));

// The model that a picture gets first: that chosen last for such a picture, or the default.
const sort = (p) => `${p.channels} ${p.dtype}`;
function firstModel(p) {
  const models = fitting(p);
  return models.find((m) => m.name === chosen.models[sort(p)]) || models.find((m) => m.label?.startsWith("photo")) || models[0];
}

// What is done with a picture that has just been dropped. Other values than bytes are most likely
// counts, whose noise no model knows.
const firstWish = (p, m) => {
  const calibrate = m.calibrates && p.dtype !== "uint8";
  return { model: m.name, strength: 1, noise_level: m.takes_level && !calibrate ? m.level : null, calibrate };
};

function choose(id) {
  chosen.picture = id;
  chosen.page = 0;
  complain("");
  const p = picture();
  if (!p) return show();
  fillModels(p, true);
  const first = firstModel(p);
  $("level").value = first?.level || "";
  $("calibrate").checked = Boolean(first && firstWish(p, first).calibrate);
  $("strength").value = 1;
  const last = p.results.filter((r) => r.state === "done").at(-1);
  if (last) adopt(last);
  viewer.fit();
  show();
}

// Sets the controls to those of a result.
function adopt(r) {
  if ([...$("model").options].some((o) => o.value === r.model)) $("model").value = r.model;
  $("strength").value = r.strength;
  $("calibrate").checked = r.calibrate;
  if (r.noise_level) $("level").value = r.noise_level;
}

function fillModels(p, first = false) {
  const models = fitting(p);
  fill($("model"), models.map((m) => [m.name, nameOf(m)]), first ? firstModel(p)?.name : $("model").value);
}

function fill(select, options, value) {
  const before = [...select.options].map((o) => o.value + o.text).join();
  if (before !== options.map(([v, t]) => v + t).join()) {
    select.replaceChildren(...options.map(([v, t]) => new Option(t, v)));
  }
  if (options.some(([v]) => v === value)) select.value = value;
}

// Showing

function show() {
  showList();
  const p = picture();
  for (const id of ["viewer", "bar", "settings"]) $(id).hidden = !p;
  $("empty").hidden = Boolean(p);
  $("save-all").hidden = !state.pictures.some((q) => q.results.some((r) => r.state === "done"));
  if (!p) {
    showProgress(null);
    $("display").textContent = "";
    say(sending());
    return;
  }
  fillModels(p);
  showSettings(p);
  showPictures(p);
  showWork(p);
  showNoise(p);
  showTraining(p);
}

function stateOf(p) {
  const active = p.results.find((r) => r.state === "working") || p.results.find((r) => r.state === "waiting");
  if (active) return active.state;
  return p.results.some((r) => r.state === "done") ? "done" : p.results.at(-1)?.state || "";
}

function showList() {
  const items = state.pictures.map((p) => {
    const old = document.querySelector(`#list button[data-id="${p.id}"]`);
    const button = old || document.createElement("button");
    if (!old) {
      button.type = "button";
      button.dataset.id = p.id;
      button.append(document.createElement("span"), document.createElement("small"));
      button.onclick = () => choose(p.id);
    }
    button.firstChild.textContent = p.name;
    button.lastChild.textContent = `${p.width} × ${p.height}${p.pages > 1 ? ` × ${p.pages}` : ""}, ${p.dtype} ${words[stateOf(p)] || ""}`;
    button.setAttribute("aria-current", p.id === chosen.picture);
    return button;
  });
  for (const button of items.filter((b) => !b.isConnected)) {
    const item = document.createElement("li");
    item.append(button);
    $("list").append(item);
  }
  for (const item of [...$("list").children]) {
    if (!items.includes(item.firstChild)) item.remove();
  }
}

function showSettings(p) {
  const known = model();
  $("purpose").textContent = known ? known.purpose : words.noModel(p.channels);
  $("level-label").hidden = !known?.takes_level;
  $("level").placeholder = known?.level ? "" : words.levelFound;
  if (known?.takes_level && !$("level").value && known.level) $("level").value = known.level;
  $("calibrate-label").hidden = !known?.calibrates;
  $("strength-out").textContent = words.percent(Math.round(100 * $("strength").value));
  $("page-label").hidden = p.pages < 2;
  $("page").max = p.pages;
  $("page-out").textContent = `${chosen.page + 1} / ${p.pages}`;
  $("folder").hidden = !state.opens_folders;
  const there = known && resultOf(p, wanted());
  $("restore").disabled = !known || Boolean(there && [...ACTIVE, "done"].includes(there.state));
}

function showPictures(p) {
  const done = p.results.filter((r) => r.state === "done");
  const options = [["before", words.before], ...done.map((r) => [r.id, labelOf(r)])];
  fill($("against"), options, options.some(([v]) => v === $("against").value) ? $("against").value : "before");
  const isDone = (r) => (r?.state === "done" ? r : undefined);
  const exact = model() && isDone(resultOf(p, wanted()));
  const full = model() && isDone(resultOf(p, wanted(1)));
  const result = exact || full;
  // Beyond 100 % there is nothing to mix, until the file is there.
  const strength = Math.min(Number($("strength").value), 1);
  chosen.result = exact?.id || null;
  $("std-label").hidden = !result?.has_std;
  let view = document.querySelector("input[name=view]:checked").value;
  if (view === "std" && !result?.has_std) {
    view = "after";
    document.querySelector("input[name=view][value=after]").checked = true;
  }
  const against = $("against").value;
  const base = address(p, "before");
  viewer.show({
    place: `${p.id} ${chosen.page} ${view}`,
    width: p.width,
    height: p.height,
    left: against === "before" ? base : address(p, "after", against),
    under: base,
    over: result ? address(p, view, result.id) : null,
    // Until the file of this strength is there, both pictures are mixed.
    mix: exact || view !== "after" ? 1 : strength,
    leftTag: against === "before" ? words.before : labelOf(done.find((r) => r.id === against)),
    rightTag: !result ? words.before : view === "after" ? labelOf(exact || { ...full, strength }) : words[view],
  });
  $("display").textContent = p.spread ? words.spread(...p.spread.map((v) => Number(v.toPrecision(4)))) : "";
  for (const [id, kind, there] of [["save", "file", exact], ["save-std", "std", exact?.has_std]]) {
    $(id).hidden = !there;
    if (there) $(id).href = `/pictures/${p.id}/results/${exact.id}/${kind}`;
  }
  $("save-all").href = exact ? `/zip?result=${p.id}:${exact.id}` : "/zip";
  $("notes").hidden = !result?.lines.length;
  const lines = (result?.lines || []).map((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  });
  $("lines").replaceChildren(...lines);
}

function address(p, what, result) {
  const more = result ? `&result=${result}` : "";
  return `/pictures/${p.id}/view?what=${what}&page=${chosen.page}${more}`;
}

const sending = () => [...uploads.keys()].map(words.uploading).join(" ");

// What goes on, for screen readers too: said again only when it changes.
function say(text) {
  if ($("status").textContent !== text) $("status").textContent = text;
}

function showWork(p) {
  const active = p.results.find((r) => r.state === "working") || p.results.find((r) => r.state === "waiting");
  const shown = p.results.find((r) => r.id === chosen.result);
  const failed = model() && resultOf(p, wanted());
  let text = sending();
  if (active) {
    text = active.state === "waiting" ? words.queued(p.name) : words.restoring(p.name, labelOf(active));
  } else if (failed?.state === "failed") {
    text = failed.error;
  } else if (shown) {
    const careful = shown.lines.filter((line) => line.startsWith("Careful")).join(" ");
    text = `${words.took(labelOf(shown), shown.seconds.toFixed(1))} ${careful}`;
  }
  say(text);
  showProgress(active);
  if (active) $("cancel").onclick = () => attempt(() => ask(`/pictures/${p.id}/results/${active.id}`, "DELETE"));
}

// How far the work at a result is, or the file that is being sent.
function showProgress(active) {
  const [share] = uploads.values();
  const [done, total] = active ? [active.done, active.total] : [share, 100];
  $("working").hidden = !active && share === undefined;
  $("cancel").hidden = !active;
  if (done) {
    $("progress").max = total;
    $("progress").value = done;
  } else {
    $("progress").removeAttribute("value");
  }
}

function showNoise(p) {
  $("noise-text").textContent = p.noise === null ? words.looking : p.noise.text ? `${p.noise.text}. ${words.advice[p.noise.kind]}` : words.noNoise;
  $("noise-plot").hidden = !p.noise?.plot;
  setSource($("noise-plot"), p.noise?.plot && `/pictures/${p.id}/noise`);
}

function showTraining(p) {
  const t = p.training;
  const ways = Object.entries(p.trainings).flatMap(([method, steps]) =>
    steps.map((n) => [`${method} ${n}`, words.training(words.method[method], n)]));
  fill($("how"), ways, $("how").value || "n2v 1500");
  const running = t?.state === "working";
  $("train").hidden = running || t?.state === "done";
  $("train").textContent = t ? words.trainGoOn : words.trainStart;
  $("stop").hidden = !running;
  $("how-label").hidden = Boolean(t);
  $("train-line").textContent = !t ? "" : running ? t.line : t.state === "done" ? words.trained : t.state === "failed" ? t.line : words.stopped;
  const curve = t?.curve || [];
  $("curve").toggleAttribute("hidden", curve.length < 2);
  if (curve.length > 1) {
    const values = curve.map(([, loss]) => loss);
    const low = Math.min(...values), high = Math.max(...values), last = curve.at(-1)[0];
    const points = curve.map(([n, loss]) => `${(300 * n) / last},${115 - (110 * (loss - low)) / (high - low || 1)}`);
    $("curve").firstElementChild.setAttribute("points", points.join(" "));
  }
  $("sample").hidden = !t?.sample;
  setSource($("sample"), t?.sample && `/pictures/${p.id}/training/sample?${t.sample}`);
}

function setSource(image, address) {
  if (address && image.getAttribute("src") !== address) image.src = address;
}

// What people do

function send(file) {
  return new Promise((resolve, reject) => {
    if (file.size > state.max_bytes) return reject(new Error(words.tooLarge(file.name, state.max_bytes / 1e6)));
    const request = new XMLHttpRequest(); // fetch does not tell how far it is
    request.open("POST", "/pictures");
    request.setRequestHeader("X-Name", encodeURIComponent(file.name));
    request.upload.onprogress = (event) => uploads.set(file.name, Math.round((100 * event.loaded) / event.total));
    request.onerror = () => reject(new Error(words.lost));
    request.onload = () => {
      let reply = {};
      try { reply = JSON.parse(request.responseText); } catch { /* the status says enough */ }
      request.status < 300 ? resolve(reply.id) : reject(new Error(reply.error || request.statusText));
    };
    request.send(file);
  });
}

async function take(files) {
  complain("");
  const problems = [];
  for (const [number, file] of files.entries()) {
    uploads.set(file.name, 0);
    try {
      const id = await send(file);
      uploads.delete(file.name);
      await look();
      const p = state.pictures.find((q) => q.id === id);
      if (number === 0) choose(id);
      const first = firstModel(p);
      if (first) await ask(`/pictures/${id}/results`, "POST", firstWish(p, first));
    } catch (error) {
      problems.push(error.message);
      complain(problems.join(" "));
    }
    uploads.delete(file.name);
    await look();
  }
}

const restore = () => attempt(() => ask(`/pictures/${chosen.picture}/results`, "POST", wanted()));

$("choose").onchange = () => {
  take([...$("choose").files]);
  $("choose").value = "";
};
addEventListener("dragover", (event) => {
  event.preventDefault();
  $("drop").classList.add("over");
});
addEventListener("dragleave", () => $("drop").classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  $("drop").classList.remove("over");
  take([...event.dataTransfer.files]);
});
$("model").onchange = () => {
  const known = model();
  chosen.models[sort(picture())] = known.name;
  $("level").value = known.level || "";
  $("calibrate").checked &&= known.calibrates;
  show();
};
$("calibrate").onchange = $("level").oninput = $("against").onchange = show;
$("restore").onclick = restore;
$("strength").oninput = show;
$("strength").onchange = () => {
  if (!model()) return;
  // Another strength of a result that is there takes no model and no time.
  if (resultOf(picture(), wanted(1))?.state === "done") restore();
};
for (const radio of document.querySelectorAll("input[name=view]")) radio.onchange = show;
$("page").oninput = () => {
  chosen.page = Number($("page").value) - 1;
  show();
};
$("folder").onclick = () => attempt(() => ask(`/pictures/${chosen.picture}/folder`, "POST", {}));
$("train").onclick = () => attempt(() => {
  const [method, steps] = $("how").value.split(" ");
  return ask(`/pictures/${chosen.picture}/training`, "POST", { method, steps: Number(steps) });
});
$("stop").onclick = () => attempt(() => ask(`/pictures/${chosen.picture}/training`, "DELETE"));
$("remove").onclick = () => {
  if (!confirm(words.removeSure)) return;
  attempt(async () => {
    const place = state.pictures.findIndex((p) => p.id === chosen.picture);
    await ask(`/pictures/${chosen.picture}`, "DELETE");
    await look();
    choose((state.pictures[place] || state.pictures.at(-1))?.id);
    (document.querySelector("#list button[aria-current=true]") || $("choose")).focus();
  });
};

await look();
$("choose").accept = state.accepted?.join() || "";
if (state.pictures.length) choose(state.pictures.at(-1).id);
