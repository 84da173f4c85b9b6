/* Fetch a file of a workspace and hand it to the reader as a download. A plain link could not name the workspace. */
(() => {
  const nameIn = (header) => (/filename\*?=(?:utf-8'')?"?([^";]+)"?/i.exec(header || "") || [])[1];

  const download = async (url, workspace) => {
    try {
      const answer = await fetch(url, { headers: { "X-Workspace": workspace } });
      if (!answer.ok) {
        const problem = await answer.json().catch(() => ({}));
        return { ok: false, detail: problem.detail || "" };
      }
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await answer.blob());
      link.download = decodeURIComponent(nameIn(answer.headers.get("Content-Disposition")) || "contacts");
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
      return { ok: true, detail: "" };
    } catch (offline) {
      return { ok: false, detail: "" };
    }
  };

  window.aerosticContacts = { download };
})();
