// Two pictures under one divider, which zoom and move together.
const $ = (id) => document.getElementById(id);
const STEP = 1.25, LEAST = 0.02, MOST = 40; // factors of zoom
const MOVE = 60; // pixels, by an arrow key

export class Viewer {
  // failed(address) is called when a picture can't be shown.
  constructor(words, failed) {
    this.words = words;
    this.failed = failed;
    this.scale = 1;
    this.x = this.y = 0;
    this.fitted = true;
    this.size = [1, 1];
    this.pointers = new Map();
    const box = $("viewer");
    box.addEventListener("pointerdown", (event) => this.#down(event));
    box.addEventListener("pointermove", (event) => this.#moved(event));
    for (const name of ["pointerup", "pointercancel"]) box.addEventListener(name, (event) => this.#up(event));
    box.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 400), event.clientX, event.clientY);
    }, { passive: false });
    box.addEventListener("keydown", (event) => this.#key(event));
    $("divide").addEventListener("input", () => this.divide(Number($("divide").value)));
    $("fit").onclick = () => this.fit();
    $("one").onclick = () => this.actual();
    $("in").onclick = () => this.zoom(STEP);
    $("out").onclick = () => this.zoom(1 / STEP);
    new ResizeObserver(() => this.fitted ? this.fit() : this.#apply()).observe(box);
  }

  // Shows pictures: addresses `left`, `under` and `over` (or null), how much of `over` is mixed in.
  // While `place` (a picture, a page, a view) stays, an old image stays until the new one is there.
  show({ place, width, height, left, under, over, mix, leftTag, rightTag }) {
    const moved = place !== this.place;
    const grown = width !== this.size[0] || height !== this.size[1];
    this.place = place;
    this.size = [width, height];
    this.#load($("left"), left, moved);
    this.#load($("under"), under, moved);
    this.#load($("over"), over, moved);
    $("over").style.opacity = mix;
    this.mixed = mix < 1;
    this.#uncover();
    $("left-tag").textContent = leftTag;
    $("right-tag").textContent = rightTag;
    $("left").alt = leftTag;
    $("over").alt = rightTag;
    $("viewer").setAttribute("aria-label", this.words.viewer(leftTag, rightTag));
    if (grown) this.fit();
  }

  // Under a picture that is whole there is nothing to see.
  #uncover() {
    const whole = !$("over").hidden && !this.mixed;
    $("under").style.visibility = whole ? "hidden" : "visible";
  }

  #load(image, address, moved) {
    if (!address || moved) image.hidden = true;
    if (!address) image.dataset.wanted = "";
    if (!address || (image.dataset.wanted === address && !moved)) return;
    image.dataset.wanted = address;
    const coming = new Image();
    coming.onload = () => {
      if (image.dataset.wanted !== address) return;
      image.src = address;
      image.hidden = false;
      this.#uncover();
      this.#apply();
    };
    coming.onerror = () => {
      if (image.dataset.wanted !== address) return;
      image.dataset.wanted = "";
      this.failed(address);
    };
    coming.src = address;
  }

  fit() {
    const { clientWidth, clientHeight } = $("viewer");
    if (!clientWidth) return;
    this.fitted = true;
    this.scale = Math.min(clientWidth / this.size[0], clientHeight / this.size[1]);
    this.#centre();
  }

  // One pixel of the picture on one of the screen.
  actual() {
    this.fitted = false;
    this.scale = 1 / devicePixelRatio;
    this.#centre();
  }

  #centre() {
    this.x = ($("viewer").clientWidth - this.scale * this.size[0]) / 2;
    this.y = ($("viewer").clientHeight - this.scale * this.size[1]) / 2;
    this.#apply();
  }

  zoom(factor, clientX, clientY) {
    const box = $("viewer").getBoundingClientRect();
    const px = clientX === undefined ? box.width / 2 : clientX - box.left;
    const py = clientY === undefined ? box.height / 2 : clientY - box.top;
    const scale = Math.min(MOST, Math.max(LEAST, this.scale * factor));
    this.x = px - ((px - this.x) * scale) / this.scale;
    this.y = py - ((py - this.y) * scale) / this.scale;
    this.scale = scale;
    this.fitted = false;
    this.#apply();
  }

  divide(percent) {
    const bounded = Math.min(100, Math.max(0, percent));
    $("divide").value = bounded;
    $("viewer").style.setProperty("--divide", `${bounded}%`);
  }

  #apply() {
    const coarse = this.scale * devicePixelRatio >= 2;
    for (const image of document.querySelectorAll(".layer")) {
      image.style.width = `${this.size[0]}px`;
      image.style.height = `${this.size[1]}px`;
      image.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
      image.classList.toggle("pixels", coarse);
    }
    $("zoom-out").textContent = this.words.percent(Math.round(100 * this.scale * devicePixelRatio));
  }

  #down(event) {
    $("viewer").setPointerCapture(event.pointerId);
    const divides = event.target.id === "handle" && !this.pointers.size;
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, divides });
  }

  #moved(event) {
    const pointer = this.pointers.get(event.pointerId);
    if (!pointer) return;
    const box = $("viewer").getBoundingClientRect();
    const before = { ...pointer };
    Object.assign(pointer, { x: event.clientX, y: event.clientY });
    if (pointer.divides) {
      this.divide((100 * (event.clientX - box.left)) / box.width);
    } else if (this.pointers.size === 2) {
      const other = [...this.pointers.values()].find((p) => p !== pointer);
      const far = (a) => Math.max(1, Math.hypot(a.x - other.x, a.y - other.y));
      this.zoom(far(pointer) / far(before), (pointer.x + other.x) / 2, (pointer.y + other.y) / 2);
    } else {
      this.x += pointer.x - before.x;
      this.y += pointer.y - before.y;
      this.fitted = false;
      this.#apply();
    }
  }

  #up(event) {
    this.pointers.delete(event.pointerId);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return; // those are the browser's
    const moves = { ArrowLeft: [MOVE, 0], ArrowRight: [-MOVE, 0], ArrowUp: [0, MOVE], ArrowDown: [0, -MOVE] };
    if (event.key === "+" || event.key === "=") this.zoom(STEP);
    else if (event.key === "-") this.zoom(1 / STEP);
    else if (event.key === "0") this.fit();
    else if (event.key === "1") this.actual();
    else if (moves[event.key]) {
      this.x += moves[event.key][0];
      this.y += moves[event.key][1];
      this.fitted = false;
      this.#apply();
    } else return;
    event.preventDefault();
  }
}
