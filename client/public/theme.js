// Before anything is painted: a page that is to be dark must not flash in white first, nor the other way round.
try {
  const { theme } = JSON.parse(localStorage.getItem("dreamcanvas.preferences") ?? "{}");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch {
  // No wish, or none that can be read: the system's.
}
