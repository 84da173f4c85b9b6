/* What every page does in the browser by itself: keep the session alive, open the command palette. */
(() => {
  const RENEWED = "aerostic.renewed-at";
  const TRIED = "aerostic.tried-at";
  const TEN_MINUTES = 10 * 60 * 1000;
  if (window.self !== window.top) document.documentElement.classList.add("embedded");
  const signedIn = () => document.querySelector("[data-signed-in]") !== null;

  /* A refresh token works once, so one tab at a time may use it. */
  const alone = (work) =>
    navigator.locks ? navigator.locks.request("aerostic-refresh", work) : work();

  const renewedAt = () => Number(localStorage.getItem(RENEWED)) || 0;

  /* Renew the session unless another tab did since `since`. True: it is renewed. */
  const renew = (since) =>
    alone(async () => {
      if (renewedAt() > since) return true;
      const answer = await fetch("/auth/refresh", { method: "POST" });
      if (answer.ok) localStorage.setItem(RENEWED, String(Date.now()));
      if (answer.status === 401 || answer.status === 403) return false;
      return answer.ok;
    });

  const toSignIn = () => {
    const here = location.pathname + location.search;
    location.assign("/login?next=" + encodeURIComponent(here));
  };

  /* The server saw no session. It may only have slept past its fifteen minutes: try once, then sign in. */
  const askAgain = async () => {
    const before = Number(sessionStorage.getItem(TRIED)) || 0;
    if (Date.now() - before < 15000) return toSignIn();
    sessionStorage.setItem(TRIED, String(Date.now()));
    if (await renew(Date.now() - 15000).catch(() => false)) location.reload();
    else toSignIn();
  };
  /* Several refusals may arrive at once: they are one. */
  let asking = null;
  const signInAgain = () => (asking ??= askAgain());

  const keepAlive = async () => {
    if (!signedIn() || Date.now() - renewedAt() < TEN_MINUTES) return;
    try {
      if (!(await renew(Date.now() - TEN_MINUTES))) toSignIn();
    } catch (offline) {
      /* No network: the banner says so, and the next minute tries again. */
    }
  };
  setInterval(keepAlive, 60 * 1000);
  addEventListener("focus", keepAlive);

  const signOut = async () => {
    await fetch("/auth/logout", { method: "POST" }).catch(() => null);
    localStorage.removeItem(RENEWED);
    sessionStorage.clear();
    location.assign("/login");
  };

  /* After a password or a code was accepted: trade the ticket for cookies, then open the page. */
  const enter = async (ticket, next) => {
    const answer = await fetch("/auth/session", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ticket }),
    });
    if (!answer.ok) return false;
    localStorage.setItem(RENEWED, String(Date.now()));
    const safe = next && next.startsWith("/") && !next.startsWith("//") && !next.startsWith("/\\");
    location.assign(safe ? next : "/dashboard");
    return true;
  };

  /* Command palette: Cmd/Ctrl-K opens, typing filters, arrows and Enter choose. */
  const commands = () =>
    [...document.querySelectorAll(".command")].filter((one) => !one.hidden);
  const choose = (index) => {
    const shown = commands();
    document.querySelectorAll(".command").forEach((one) => one.setAttribute("aria-selected", "false"));
    const one = shown[(index + shown.length) % shown.length];
    if (one) {
      one.setAttribute("aria-selected", "true");
      one.scrollIntoView({ block: "nearest" });
    }
  };
  const chosen = () =>
    commands().findIndex((one) => one.getAttribute("aria-selected") === "true");
  const filter = (text) => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    document.querySelectorAll(".command").forEach((one) => {
      const name = one.textContent.toLowerCase();
      one.hidden = !words.every((word) => name.includes(word));
    });
    const nothing = document.getElementById("no-command");
    if (nothing) nothing.hidden = commands().length > 0;
    choose(0);
  };
  addEventListener("keydown", (event) => {
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
      const opener = document.getElementById("open-palette");
      if (opener) {
        event.preventDefault();
        opener.click();
      }
      return;
    }
    if (event.target.id !== "palette-input") return;
    if (event.key === "ArrowDown") choose(chosen() + 1);
    else if (event.key === "ArrowUp") choose(chosen() - 1);
    else if (event.key === "Enter") commands()[chosen()]?.click();
    else return;
    event.preventDefault();
  });
  addEventListener("input", (event) => {
    if (event.target.id === "palette-input") filter(event.target.value);
  });

  /* Send the files of an input to one of our routes; resolves to {ok, status, body} for the callback. */
  const upload = async (inputId, url, workspace) => {
    const input = document.getElementById(inputId);
    const file = input && input.files && input.files[0];
    if (!file) return { ok: false, status: 0, body: null };
    const form = new FormData();
    form.append("file", file, file.name);
    try {
      const answer = await fetch(url, { method: "POST", headers: { "X-Workspace": workspace }, body: form });
      const body = await answer.json().catch(() => null);
      return { ok: answer.ok, status: answer.status, body };
    } catch (offline) {
      return { ok: false, status: 0, body: null };
    } finally {
      input.value = "";
    }
  };

  const paletteOpened = () => {
    document.getElementById("palette-input")?.focus();
    filter("");
  };

  window.aerostic = { paletteOpened, signInAgain, signOut, enter, renew, upload, filter };
})();
