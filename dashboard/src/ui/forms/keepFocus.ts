/** Dialogs fade out, then give the focus back to their opener. */
const AFTER_DIALOG_MS = 350

/** After what had the focus was removed from the page: the keyboard goes on in the page, not at its very beginning. */
export function keepFocus(): void {
  setTimeout(() => {
    const { activeElement, body } = document
    if (activeElement === null || activeElement === body) {
      document.getElementById('content')?.focus({ preventScroll: true })
    }
  }, AFTER_DIALOG_MS)
}
