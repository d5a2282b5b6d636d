import { createTheme, localStorageColorSchemeManager, type ModalProps } from '@mantine/core'

const CLOSE = { 'aria-label': 'Close' }
const MODAL: Partial<ModalProps> = { lockScroll: false, centered: true, radius: 'md', closeButtonProps: CLOSE }

/** Behaviour only: colours and sizes are in tokens.css, where the page's policy lets them be. */
export const theme = createTheme({
  primaryColor: 'indigo',
  primaryShade: { light: 7, dark: 7 },
  cursorType: 'pointer',
  // By name, not by `Modal.extend`: that would load what is not shown yet.
  components: {
    // The library's scroll lock writes a style element, which the page's policy forbids; ours is in Modal's own overflow.
    Modal: { defaultProps: MODAL },
    Drawer: { defaultProps: { lockScroll: false, closeButtonProps: CLOSE } },
    // Its place-holder for the focus is no menu item, which is all that a menu may contain.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false, radius: 'md' } },
    // A landmark of index.html: menus and toasts are not outside of everything for who listens to the page.
    Portal: { defaultProps: { target: '#overlays' } },
    Popover: { defaultProps: { shadow: 'md', radius: 'md' } },
    Tooltip: { defaultProps: { openDelay: 400, withArrow: false } },
  },
})

/** The key that public/color-scheme.js reads before the first paint. */
export const colorSchemeManager = localStorageColorSchemeManager({ key: 'guddesk-color-scheme' })
