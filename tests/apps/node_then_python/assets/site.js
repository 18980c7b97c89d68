import { marked } from "marked";

for (const element of document.querySelectorAll("[data-markdown]")) {
  element.innerHTML = marked.parse(element.textContent);
}
