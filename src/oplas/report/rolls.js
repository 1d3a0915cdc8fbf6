"use strict";
// Draws the lanes of piano rolls and plays them with oscillators. Times are beats until they reach the sound card.
(() => {
  const { tempo, lanes } = JSON.parse(document.getElementById("data").textContent);
  const second = 60 / tempo;
  const all = lanes.flat();
  const end = Math.max(...all.map(([onset, length]) => onset + length));
  const low = Math.min(...all.map((note) => note[2])) - 2;
  const high = Math.max(...all.map((note) => note[2])) + 2;
  const ROW = Math.max(3, Math.min(6, Math.floor(280 / (high - low + 1))));
  const BEAT = Math.max(4, Math.min(20, 15000 / end)); // pixels: a canvas has a largest width
  const rolls = [...document.querySelectorAll(".roll")];
  const buttons = [...document.querySelectorAll("button[data-lane]")];
  const heads = [...document.querySelectorAll(".head")];
  const times = [...document.querySelectorAll("output")];
  const TIMBRES = ["triangle", "sine", "sawtooth"];
  let at = 0; // where playing begins, or is
  let playing = null; // { lane, context, out, zero, next, timer }

  const tone = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  function draw(lane) {
    const canvas = rolls[lane].firstElementChild;
    const width = Math.ceil(end * BEAT) + 8, height = (high - low + 1) * ROW;
    const dense = Math.min(window.devicePixelRatio || 1, 30000 / width);
    canvas.width = width * dense;
    canvas.height = height * dense;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const paper = canvas.getContext("2d");
    paper.scale(dense, dense);
    const parts = [tone("space"), tone("other"), tone("third")], ink = tone("ink");
    paper.strokeStyle = tone("line");
    paper.lineWidth = 1;
    for (let beat = 0; beat <= end; beat += 4) line(paper, beat * BEAT + 0.5, 0, beat * BEAT + 0.5, height);
    for (let pitch = Math.ceil(low / 12) * 12; pitch <= high; pitch += 12) {
      const y = (high - pitch + 1) * ROW + 0.5; // below every C
      line(paper, 0, y, width, y);
    }
    for (const [onset, length, pitch, loud, part, kind] of lanes[lane]) {
      const x = onset * BEAT, y = (high - pitch) * ROW, wide = Math.max(length * BEAT - 1, 2);
      paper.globalAlpha = 0.45 + 0.55 * loud;
      paper.fillStyle = parts[part % 3];
      paper.fillRect(x, y, wide, ROW - 1);
      paper.globalAlpha = 1;
      if (kind) {
        paper.strokeStyle = ink;
        paper.lineWidth = 2;
        paper.strokeRect(x - 2, y - 2, wide + 4, ROW + 3);
      }
    }
  }

  function line(paper, x0, y0, x1, y1) {
    paper.beginPath();
    paper.moveTo(x0, y0);
    paper.lineTo(x1, y1);
    paper.stroke();
  }

  const clock = (beats) => {
    const seconds = Math.round(beats * second);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  };

  function show() {
    heads.forEach((head) => { head.style.left = `${at * BEAT}px`; });
    times.forEach((each) => { each.textContent = `${clock(at)} of ${clock(end)}`; });
    buttons.forEach((button, lane) => {
      const on = playing !== null && playing.lane === lane;
      button.textContent = on ? "Stop" : "Play";
      button.setAttribute("aria-pressed", String(on));
    });
  }

  function stop() {
    if (playing === null) return;
    clearInterval(playing.timer);
    playing.context.close();
    playing = null;
    show();
  }

  function play(lane) {
    stop();
    if (at >= end - 0.01) at = 0;
    const context = new AudioContext();
    const master = context.createDynamicsCompressor(), quiet = context.createGain();
    quiet.gain.value = 0.22;
    quiet.connect(master).connect(context.destination);
    const zero = context.currentTime + 0.1 - at * second; // when beat 0 would have been
    const next = lanes[lane].findIndex(([onset]) => onset >= at - 1e-6);
    playing = { lane, context, out: quiet, zero, next: next < 0 ? Infinity : next };
    playing.timer = setInterval(ahead, 60);
    ahead();
    show();
  }

  function ahead() {
    const { lane, context, zero } = playing, now = context.currentTime;
    for (const notes = lanes[lane]; playing.next < notes.length; playing.next += 1) {
      const note = notes[playing.next];
      if (zero + note[0] * second > now + 0.25) break;
      sound(note);
    }
    at = Math.max((now - zero) / second, 0);
    if (at > end + 0.5) { stop(); at = 0; show(); return; }
    follow(lane);
    show();
  }

  function sound([onset, length, pitch, loud, part]) {
    const { context, out, zero } = playing;
    const from = Math.max(zero + onset * second, context.currentTime), until = from + Math.max(length * second, 0.06);
    const source = context.createOscillator(), shape = context.createGain();
    source.type = TIMBRES[part % 3];
    source.frequency.value = 440 * 2 ** ((pitch - 69) / 12);
    const peak = 0.5 * loud * (source.type === "sawtooth" ? 0.35 : 1);
    shape.gain.setValueAtTime(0, from);
    shape.gain.linearRampToValueAtTime(peak, from + 0.008);
    shape.gain.exponentialRampToValueAtTime(Math.max(peak * 0.25, 1e-4), until);
    shape.gain.linearRampToValueAtTime(0, until + 0.05);
    source.connect(shape).connect(out);
    source.start(from);
    source.stop(until + 0.06);
  }

  function follow(lane) {
    const roll = rolls[lane], x = at * BEAT;
    if (x < roll.scrollLeft || x > roll.scrollLeft + roll.clientWidth - 40) roll.scrollLeft = x - 40;
  }

  function seek(lane, beat) {
    const was = playing === null ? null : playing.lane;
    stop();
    at = Math.min(Math.max(beat, 0), end);
    follow(lane);
    if (was === null) show();
    else play(lane);
  }

  let scrolling = false;
  rolls.forEach((roll, lane) => {
    roll.addEventListener("scroll", () => { // the lanes show the same bars
      if (scrolling) return;
      scrolling = true;
      rolls.forEach((other) => { if (other !== roll) other.scrollLeft = roll.scrollLeft; });
      requestAnimationFrame(() => { scrolling = false; });
    });
    roll.addEventListener("click", (event) => {
      const left = roll.firstElementChild.getBoundingClientRect().left;
      seek(lane, (event.clientX - left) / BEAT);
      if (playing === null || playing.lane !== lane) play(lane);
    });
    roll.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? 4 : 1;
      const moves = { ArrowLeft: at - step, ArrowRight: at + step, Home: 0, End: end };
      if (event.key === " ") playing !== null && playing.lane === lane ? stop() : play(lane);
      else if (event.key in moves) seek(lane, moves[event.key]);
      else return;
      event.preventDefault();
    });
  });
  buttons.forEach((button, lane) => {
    button.addEventListener("click", () => { playing !== null && playing.lane === lane ? stop() : play(lane); });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => rolls.forEach((_, lane) => draw(lane)));
  rolls.forEach((_, lane) => draw(lane));
  show();
})();
