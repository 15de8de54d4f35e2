// Light or dark: what the reader chose, or else what their system prefers.

const SYSTEM_IS_DARK = window.matchMedia("(prefers-color-scheme: dark)");

function isDark(theme) {
  return theme ? theme === "dark" : SYSTEM_IS_DARK.matches;
}

function showTheme(theme) {
  document.documentElement.dataset.theme = isDark(theme) ? "dark" : "light";
  document.getElementById("theme").textContent = isDark(theme) ? "Light" : "Dark";
}
