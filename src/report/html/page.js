"use strict";
(() => {
  const form = document.getElementById("filters");
  const groups = [...document.querySelectorAll("#groups > details.group")];
  if (!form || groups.length === 0) return;

  const search = document.getElementById("search");
  const area = document.getElementById("area");
  const matches = document.getElementById("matches");
  const texts = new Map();
  const text = (group) => {
    if (!texts.has(group)) texts.set(group, group.textContent.toLowerCase());
    return texts.get(group);
  };
  const chosen = (name) => new Set([...form.querySelectorAll(`input[name=${name}]:checked`)].map((box) => box.value));
  // A group is of all that its findings are of; of those that it only counts nobody here knows.
  const isOf = (group, name, wanted) =>
    wanted.has(group.dataset[name]) ||
    group.querySelector("li.more") !== null ||
    [...group.querySelectorAll("ul.others > li")].some((other) => wanted.has(other.dataset[name]));

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter((word) => word !== "");
    const severities = chosen("severity");
    const standings = chosen("standing");
    let shown = 0;
    for (const group of groups) {
      const fits =
        isOf(group, "severity", severities) &&
        isOf(group, "standing", standings) &&
        (area.value === "" || group.dataset.area === area.value) &&
        words.every((word) => text(group).includes(word));
      group.hidden = !fits;
      if (fits) shown += 1;
    }
    matches.textContent = `${shown} of ${groups.length} ${groups.length === 1 ? "group" : "groups"}`;
  };

  const setAll = (open) => groups.forEach((group) => { group.open = open; });
  const goTo = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    const group = target && target.closest("details.group");
    if (!group) return;
    if (group.hidden) { form.reset(); filter(); }
    group.open = true;
    group.scrollIntoView();
  };

  // Without this script all is open, and there is nothing to filter by.
  setAll(false);
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", filter);
  form.addEventListener("reset", () => setTimeout(filter));
  document.getElementById("open").addEventListener("click", () => setAll(true));
  document.getElementById("close").addEventListener("click", () => setAll(false));
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest && event.target.closest("input, select, textarea");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
    }
  });

  // On paper nothing can be opened.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    closed.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((one) => { one.open = false; }));
  addEventListener("hashchange", goTo);
  filter();
  goTo();
})();
