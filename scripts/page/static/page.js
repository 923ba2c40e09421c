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
const viewer = new Viewer(words);

// Talking with the server

async function ask(path, method = "GET", content) {
  let answer;
  try {
    answer = await fetch(path, { method, body: content === undefined ? undefined : JSON.stringify(content) });
  } catch {
    throw new Error(words.lost);
  }
  const told = await answer.json().catch(() => ({ error: answer.statusText }));
  if (!answer.ok) throw new Error(told.error);
  return told;
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

function complain(text) {
  $("problem").textContent = text;
  $("problem").hidden = !text;
}

let timer;
async function look() {
  clearTimeout(timer);
  asked += 1;
  const number = asked;
  try {
    const told = await ask("/state");
    if (number !== asked) return; // a later look is under way
    if ($("problem").textContent === words.lost) complain("");
    state = told;
    show();
  } catch (error) {
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
const labelOf = (r) => {
  const known = state.models.find((m) => m.name === r.model);
  const strength = r.strength === 1 ? "" : ` ${words.percent(Math.round(100 * r.strength))}`;
  return (known ? known.label : r.model) + (r.calibrate ? `, ${words.calibrated}` : "") + strength;
};

function wanted(strength = Number($("strength").value)) {
  const known = model();
  const level = Number($("level").value);
  return {
    model: known.name,
    strength,
    noise_level: known.takes_level && level > 0 ? level : null,
    calibrate: known.calibrates && $("calibrate").checked,
  };
}

const same = (a, b) => a.model === b.model && a.strength === b.strength && a.noise_level === b.noise_level && a.calibrate === b.calibrate;
const found = (p, wish) => p.results.find((r) => same(r, wish));

// The model that a picture gets first: that chosen last for such a picture, or the default.
const sort = (p) => `${p.channels} ${p.dtype}`;
function firstModel(p) {
  const models = fitting(p);
  return models.find((m) => m.name === chosen.models[sort(p)]) || models.find((m) => m.label.startsWith("photo")) || models[0];
}

function choose(id) {
  chosen.picture = id;
  chosen.page = 0;
  complain("");
  const p = picture();
  if (!p) return show();
  fillModels(p, true);
  $("calibrate").checked = p.dtype !== "uint8" && Boolean(model()?.calibrates);
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
  fill($("model"), models.map((m) => [m.name, m.label]), first ? firstModel(p)?.name : $("model").value);
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
    $("working").hidden = true;
    $("display").textContent = "";
    $("status").textContent = [...uploads].map(([name, share]) => words.uploading(name, share)).join(" ");
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
  if (items.length !== $("list").children.length || items.some((b) => !b.isConnected)) {
    $("list").replaceChildren(...items.map((b) => {
      const item = document.createElement("li");
      item.append(b);
      return item;
    }));
  }
}

function showSettings(p) {
  const known = model();
  $("purpose").textContent = known ? known.purpose : words.noModel(p.channels);
  $("level-label").hidden = !known?.takes_level;
  if (known?.takes_level && !$("level").value && known.level) $("level").value = known.level;
  $("calibrate-label").hidden = !known?.calibrates;
  $("strength-out").textContent = words.percent(Math.round(100 * $("strength").value));
  $("page-label").hidden = p.pages < 2;
  $("page").max = p.pages;
  $("page-out").textContent = `${chosen.page + 1} / ${p.pages}`;
  $("folder").hidden = !state.opens_folders;
  const there = known && found(p, wanted());
  $("restore").disabled = !known || Boolean(there && [...ACTIVE, "done"].includes(there.state));
}

function showPictures(p) {
  const done = p.results.filter((r) => r.state === "done");
  const options = [["before", words.before], ...done.map((r) => [r.id, labelOf(r)])];
  fill($("against"), options, options.some(([v]) => v === $("against").value) ? $("against").value : "before");
  const exact = model() && done.find((r) => same(r, wanted()));
  const full = model() && done.find((r) => same(r, wanted(1)));
  const result = exact || full;
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
    width: p.width,
    height: p.height,
    left: against === "before" ? base : address(p, "after", against),
    under: base,
    over: result ? address(p, view, result.id) : null,
    // Until the file of this strength is there, both pictures are mixed.
    mix: exact || view !== "after" ? 1 : Math.min(Number($("strength").value), 1),
    leftTag: against === "before" ? words.before : labelOf(done.find((r) => r.id === against)),
    rightTag: !result ? words.before : view === "after" ? labelOf(exact || { ...full, strength: Number($("strength").value) }) : words[view],
  });
  $("display").textContent = p.spread ? words.spread(...p.spread.map((v) => Number(v.toPrecision(4)))) : "";
  for (const [id, kind, there] of [["save", "file", exact], ["save-std", "std", exact?.has_std]]) {
    $(id).hidden = !there;
    if (there) $(id).href = `/pictures/${p.id}/results/${exact.id}/${kind}`;
  }
  $("save-all").href = "/zip";
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

let told = "";
function showWork(p) {
  const active = p.results.find((r) => r.state === "working") || p.results.find((r) => r.state === "waiting");
  const shown = p.results.find((r) => r.id === chosen.result);
  const failed = model() && found(p, wanted());
  let text = [...uploads].map(([name, share]) => words.uploading(name, share)).join(" ");
  if (active) {
    text = active.state === "waiting" ? words.queued(p.name) : words.restoring(p.name, labelOf(active));
    if (active.state === "working" && active.total > 1) text += words.part(active.done, active.total);
  } else if (failed?.state === "failed") {
    text = failed.error;
  } else if (shown) {
    const careful = shown.lines.filter((line) => line.startsWith("Careful")).join(" ");
    text = `${words.took(labelOf(shown), shown.seconds.toFixed(1))} ${careful}`;
  }
  if (text !== told) $("status").textContent = told = text; // said again only when it changes
  $("working").hidden = !active;
  if (active) {
    if (active.total > 1 || active.done) {
      $("progress").max = active.total;
      $("progress").value = active.done;
    } else {
      $("progress").removeAttribute("value");
    }
    $("cancel").onclick = () => attempt(() => ask(`/pictures/${p.id}/results/${active.id}`, "DELETE"));
  }
}

function showNoise(p) {
  $("noise-text").textContent = p.noise === null ? words.looking : p.noise.text ? `${p.noise.text}. ${words.advice[p.noise.kind]}` : words.noNoise;
  $("noise-plot").hidden = !p.noise?.plot;
  setSource($("noise-plot"), p.noise?.plot && `/pictures/${p.id}/noise`);
}

function showTraining(p) {
  const t = p.training;
  fill($("epochs"), state.epochs.map((n) => [String(n), String(100 * n)]), $("epochs").value || "15");
  const running = t?.state === "working";
  $("train").hidden = running || t?.state === "done";
  $("train").textContent = t?.state === "stopped" ? words.trainGoOn : words.trainStart;
  $("stop").hidden = !running;
  $("train-line").textContent = !t ? "" : running ? t.line : t.state === "done" ? words.trained : t.line || words.stopped;
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
      let told = {};
      try { told = JSON.parse(request.responseText); } catch { /* told below */ }
      request.status < 300 ? resolve(told.id) : reject(new Error(told.error || request.statusText));
    };
    request.send(file);
  });
}

async function take(files) {
  complain("");
  const problems = [];
  for (const file of files) {
    uploads.set(file.name, 0);
    try {
      const id = await send(file);
      uploads.delete(file.name);
      await look();
      choose(id);
      if (model()) await ask(`/pictures/${id}/results`, "POST", wanted(1));
    } catch (error) {
      problems.push(error.message);
    }
    uploads.delete(file.name);
    await look();
  }
  complain(problems.join(" "));
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
  // Another strength of a result that is there takes no model and no time.
  if (found(picture(), wanted(1))?.state === "done") restore();
};
for (const radio of document.querySelectorAll("input[name=view]")) radio.onchange = show;
$("page").oninput = () => {
  chosen.page = Number($("page").value) - 1;
  show();
};
$("folder").onclick = () => attempt(() => ask(`/pictures/${chosen.picture}/folder`, "POST", {}));
$("train").onclick = () => attempt(() => ask(`/pictures/${chosen.picture}/training`, "POST", { epochs: Number($("epochs").value) }));
$("stop").onclick = () => attempt(() => ask(`/pictures/${chosen.picture}/training`, "DELETE"));
$("remove").onclick = () => {
  if (!confirm(words.removeSure)) return;
  attempt(async () => {
    await ask(`/pictures/${chosen.picture}`, "DELETE");
    chosen.picture = null;
  });
};

await look();
if (state.pictures.length) choose(state.pictures.at(-1).id);
