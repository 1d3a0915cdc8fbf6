"use strict";
// One sound at a time; the next begins where the last one is. A picture's line shows the place, and a click moves it.
(() => {
  const rows = [...document.querySelectorAll("article")].map((row) => ({
    sound: row.querySelector("audio"), picture: row.querySelector(".picture"), head: row.querySelector(".head"),
  }));
  let last = null;
  const draw = () => {
    for (const { sound, head } of rows) head.style.left = `${(100 * sound.currentTime) / (sound.duration || 1)}%`;
    if (last && !last.paused) requestAnimationFrame(draw);
  };
  for (const { sound, picture } of rows) {
    sound.addEventListener("play", () => {
      if (last && last !== sound) {
        const at = last.currentTime;
        last.pause();
        if (at < sound.duration - 0.05) sound.currentTime = at;
      }
      last = sound;
      draw();
    });
    sound.addEventListener("seeked", draw);
    picture.addEventListener("click", (event) => {
      const box = picture.getBoundingClientRect();
      const at = ((event.clientX - box.left) / box.width) * sound.duration;
      if (last && last !== sound) last.pause();
      last = sound;
      sound.currentTime = at;
      sound.play().catch(() => {}); // another was begun before this one could
    });
  }
})();
