/* Connecting an account elsewhere: a window of its own, which tells this one how it went. */
(() => {
  const FEATURES = "popup,width=540,height=720";
  const LOOK_EVERY = 500;

  const ask = async (workspace, services, connection) => {
    const body = { services: services.split(",").filter(Boolean) };
    if (connection) body.connection_id = connection;
    const answer = await fetch("/api/v1/connections/google", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Workspace": workspace },
      body: JSON.stringify(body),
    });
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(told.detail || "That did not work. Please try again.");
    return told.url;
  };

  /* Resolves to {done, sentence}. The window is opened at once, while the click still counts as one. */
  const google = (workspace, services, connection) =>
    new Promise((resolve) => {
      const popup = window.open("about:blank", "aerostic-google", FEATURES);
      if (!popup) {
        resolve({ done: false, sentence: "Your browser blocked the window. Allow it, and try again." });
        return;
      }
      const channel = new BroadcastChannel("aerostic.connections");
      const end = (told) => {
        clearInterval(watching);
        channel.close();
        resolve(told);
      };
      channel.onmessage = (event) => end(event.data);
      /* Google's pages may hide whether the window is closed; the page itself reads again when told. */
      const watching = setInterval(() => popup.closed && end({ done: false, sentence: "" }), LOOK_EVERY);
      ask(workspace, services, connection).then(
        (url) => popup.location.replace(url),
        (error) => {
          popup.close();
          end({ done: false, sentence: error.message });
        },
      );
    });

  window.aerosticConnections = { google };
})();
