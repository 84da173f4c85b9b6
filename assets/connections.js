/* Connecting an account elsewhere: a window of its own, which tells this one how it went. */
(() => {
  const FEATURES = "popup,width=540,height=720";
  let listening = null;
  let last = null;

  /* The page takes it with `told`: a click that waited for the window would hold up all others. */
  const tell = (told) => {
    last = told;
    document.getElementById("connection-told")?.click();
  };
  const told = () => last;

  const ask = async (workspace, services, connection) => {
    const body = { services: services.split(",").filter(Boolean) };
    if (connection) body.connection_id = connection;
    const answer = await fetch("/api/v1/connections/google", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Workspace": workspace },
      body: JSON.stringify(body),
    });
    const answered = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(answered.detail || "That did not work. Please try again.");
    return answered.url;
  };

  /* The window is opened at once, while the click still counts as one. Google's pages may cut the tie to it,
     so its last page, which is ours, speaks through a channel. */
  const google = (workspace, services, connection) => {
    const popup = window.open("about:blank", "aerostic-google", FEATURES);
    if (!popup) {
      tell({ done: false, sentence: "Your browser blocked the window. Allow it, and try again." });
      return;
    }
    listening?.close();
    const channel = (listening = new BroadcastChannel("aerostic.connections"));
    channel.onmessage = (event) => {
      channel.close();
      tell(event.data);
    };
    ask(workspace, services, connection).then(
      (url) => popup.location.replace(url),
      (error) => {
        popup.close();
        tell({ done: false, sentence: error.message });
      },
    );
  };

  window.aerosticConnections = { google, told };
})();
