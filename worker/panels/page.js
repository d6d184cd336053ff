"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const safe = (value) => JSON.stringify(value).replaceAll("<", "\\u003c");
const main = document.getElementById("panels");
const choice = document.getElementById("viewer");
const at = Object.fromEntries(Object.keys(data.places).map((kind) => [kind, 0]));
for (const [name, title] of Object.entries(data.viewers)) {
  choice.add(new Option(title, name, false, name === data.viewer));
}
function draw(kind) {
  const [place, formFactor, , width] = data.places[kind][at[kind]];
  const preview = { ...data.previews[kind][choice.value], place, formFactor };
  const frame = document.createElement("iframe");
  frame.title = data.names[kind];
  frame.style.width = width + "px";
  const code = data.bundles[kind].replaceAll("</script", "<\\/script");
  frame.srcdoc = '<!doctype html><html lang="en"><head><meta charset="utf-8">' +
    '<style>body{margin:0}</style></head><body><div id="panel"></div><script>window.UPSWELL_PREVIEW=' +
    safe(preview) + "</" + "script><script>" + code + "</" + "script></body></html>";
  frame.addEventListener("load", () => {
    const body = frame.contentDocument.documentElement;
    const fit = () => { frame.style.height = frame.contentDocument.body.scrollHeight + 8 + "px"; };
    new ResizeObserver(fit).observe(frame.contentDocument.body);
    fit();
    const wait = setInterval(() => {
      if (body.dataset.ready !== "true") return;
      clearInterval(wait);
      fit();
      frame.dataset.ready = "true";
      const frames = [...document.querySelectorAll("iframe")];
      if (frames.every((each) => each.dataset.ready)) document.documentElement.dataset.ready = "true";
    }, 20);
  });
  const section = document.getElementById(kind);
  section.querySelector("iframe")?.remove();
  section.append(frame);
  for (const [place, button] of section.querySelectorAll("button").entries()) {
    button.setAttribute("aria-pressed", String(place === at[kind]));
  }
}
for (const [kind, places] of Object.entries(data.places)) {
  const section = document.createElement("section");
  section.id = kind;
  const head = document.createElement("div");
  const title = document.createElement("h2");
  title.textContent = data.names[kind];
  const group = document.createElement("span");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Where it stands");
  places.forEach(([, , name], place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", () => { at[kind] = place; draw(kind); });
    group.append(button);
  });
  head.append(title, group);
  section.append(head);
  main.append(section);
  draw(kind);
}
choice.addEventListener("change", () => Object.keys(at).forEach(draw));
