// Keeps the page of a job up to date, without loading it anew while somebody reads.
const job = document.querySelector("[data-job]");

async function look() {
  const answer = await fetch(job.dataset.job, { credentials: "same-origin" });
  if (!answer.ok) return;
  const told = await answer.json();
  document.querySelector("#progress").value = told.done;
  document.querySelector("#status").textContent = told.status;
  if (told.over) location.reload();
  else setTimeout(look, 500);
}

if (job) setTimeout(look, 300);
