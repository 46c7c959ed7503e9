// Says in an open page that the server behind it has ended, in our words: Streamlit's own name its developer's
// command. Asked is what Streamlit asks too; while it answers, this does nothing.
"use strict";

// Streamlit's dialogs would cover the page, which shows what was read last.
window.__streamlit = { ...window.__streamlit, HOST_CONFIG: { blockErrorDialogs: true } };

(() => {
  const EVERY_MS = 5000;
  const AGAIN_MS = 1000; // where it did not answer
  const PATIENCE_MS = 5000;
  const USUAL_PORT = "8501";
  const health = new URL("../_stcore/health", document.currentScript.src);
  let failures = 0;
  let shown = null;

  function sentence() {
    const port = location.port && location.port !== USUAL_PORT ? ` --port ${location.port}` : "";
    return [
      "grokscope has ended, or cannot be reached; this page shows what it read last. Start ",
      `grokscope up${port}`,
      " again with your store, and the page goes on by itself.",
    ];
  }

  function show() {
    const page = getComputedStyle(document.querySelector(".stApp") ?? document.body);
    const [before, command, after] = sentence();
    const code = Object.assign(document.createElement("code"), { textContent: command });
    Object.assign(code.style, { color: "inherit", background: "none", fontWeight: "600", whiteSpace: "nowrap" });
    shown = document.createElement("div");
    shown.id = "grokscope-ended";
    shown.setAttribute("role", "alert");
    Object.assign(shown.style, {
      position: "fixed", inset: "auto 0 0 0", zIndex: "2000000", padding: "0.75rem 1.25rem",
      font: page.font, fontSize: "0.95rem", lineHeight: "1.4", textAlign: "center",
      // The page's own colours turned round: read in light and dark.
      color: page.backgroundColor, background: page.color,
    });
    shown.append(before, code, after);
    document.body.append(shown);
  }

  async function answers() {
    try {
      await fetch(health, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      return true; // be it with a refusal
    } catch {
      return false;
    }
  }

  async function look() {
    if (!document.hidden) {
      failures = (await answers()) ? 0 : failures + 1;
      if (failures === 0 && shown !== null) {
        shown.remove();
        shown = null;
      } else if (failures > 1 && shown === null) {
        show();
      }
    }
    setTimeout(look, failures === 0 ? EVERY_MS : AGAIN_MS);
  }

  setTimeout(look, EVERY_MS);
})();
