// Keeps a page up to date, without loading it anew while somebody reads or types.
const job = document.querySelector("[data-job]");
const live = document.querySelector("[data-live]");

async function follow() {
  try {
    const answer = await fetch(job.dataset.job, { credentials: "same-origin" });
    if (!answer.ok) return;
    const state = await answer.json();
    document.querySelector("#progress").value = state.done;
    document.querySelector("#status").textContent = state.status;
    if (state.over) return location.reload();
  } catch {
    // The console is away for a moment: the next look finds it.
  }
  setTimeout(follow, 500);
}

async function refresh() {
  try {
    const isRead = live.contains(document.activeElement) || !getSelection().isCollapsed;
    if (document.hidden || isRead) return;
    const answer = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-live]");
    if (!fresh) return;
    live.replaceChildren(...fresh.childNodes);
    live.dataset.live = fresh.dataset.live;
  } catch {
    // As above.
  } finally {
    setTimeout(refresh, 1000 * live.dataset.live);
  }
}

if (job) setTimeout(follow, 300);
if (live) setTimeout(refresh, 1000 * live.dataset.live);
