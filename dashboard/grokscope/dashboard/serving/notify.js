// Shows the newest event of the page Live as a notification of the browser, while its switch is on and the page is
// not in front. Nothing is asked of the server: what is told stands in the page already.
"use strict";

(() => {
  const EVERY_MS = 2000;
  const SWITCH = ".st-key-live_notify";
  const NEWEST = ".st-key-live_newest";
  let told = null;

  // A browser asks its user only at a click.
  document.addEventListener("click", (event) => {
    const isSwitch = event.target instanceof Element && event.target.closest(SWITCH) !== null;
    if (isSwitch && "Notification" in window && Notification.permission === "default") {
      Notification.requestPermission();
    }
  }, true);

  function newest() {
    const row = document.querySelector(NEWEST);
    if (row === null) {
      return "";
    }
    const parts = [...row.querySelectorAll("p")].map((part) => part.textContent.trim());
    return parts.filter((part) => part !== "").join(" ");
  }

  // The page says what the reader has to do; which of its sentences is shown is known only here.
  function tell() {
    const permission = "Notification" in window ? Notification.permission : "missing";
    document.documentElement.dataset.notifications = permission;
  }

  function look() {
    tell();
    const isOn = document.querySelector(`${SWITCH} input`)?.checked === true;
    const now = newest();
    if (!isOn) {
      told = null;
    } else if (now !== "" && now !== told) {
      const isNews = told !== null && !document.hasFocus();
      told = now;
      if (isNews && "Notification" in window && Notification.permission === "granted") {
        // One tag: a newer event takes the place of an older one.
        new Notification("grokscope", { body: now, tag: "grokscope" });
      }
    }
    setTimeout(look, EVERY_MS);
  }

  tell();
  setTimeout(look, EVERY_MS);
})();
