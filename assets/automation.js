/* Files of workflows: read here, so that they go to the server as text. */
(() => {
  const LARGEST = 1024 * 1024;

  /* The chosen file's text, or why it can not be read: {text, name, problem}. */
  const readFile = async (inputId) => {
    const input = document.getElementById(inputId);
    const file = input?.files?.[0];
    if (!file) return { text: "", name: "", problem: "Choose a file first." };
    if (file.size > LARGEST) return { text: "", name: file.name, problem: "That file is larger than 1 MB, so it is no workflow." };
    const text = await file.text();
    input.value = "";
    return { text, name: file.name, problem: "" };
  };

  window.aerosticAutomation = { readFile };
})();
