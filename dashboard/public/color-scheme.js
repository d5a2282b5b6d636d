// Sets the chosen colours before anything is painted. A file of its own, because the page allows no inline script.
;(() => {
  let choice = null
  try {
    choice = localStorage.getItem('guddesk-color-scheme')
  } catch {
    // Storage may be forbidden: then the system decides.
  }
  const isDark = choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.setAttribute('data-mantine-color-scheme', isDark ? 'dark' : 'light')
})()
