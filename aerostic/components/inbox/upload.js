// Hand a file to the product; the answer is its row, whose id a message then names.
export async function upload(file, workspace) {
  const body = new FormData();
  body.append("file", file);
  const response = await fetch("/api/v1/media", { method: "POST", body, headers: { "X-Workspace": workspace }, credentials: "same-origin" });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail || "The file could not be uploaded. Try again.");
  return answer;
}
