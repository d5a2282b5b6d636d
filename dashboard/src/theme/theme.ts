import { createTheme, localStorageColorSchemeManager, Menu, Modal, Popover, Portal, Tooltip } from '@mantine/core'

const CLOSE = { 'aria-label': 'Close' }

/** Behaviour only: colours and sizes are in tokens.css, where the page's policy lets them be. */
export const theme = createTheme({
  primaryColor: 'indigo',
  primaryShade: { light: 7, dark: 7 },
  cursorType: 'pointer',
  components: {
    // The library's scroll lock writes a style element, which the page's policy forbids; ours is in Modal's own overflow.
    Modal: Modal.extend({ defaultProps: { lockScroll: false, centered: true, radius: 'md', closeButtonProps: CLOSE } }),
    Drawer: { defaultProps: { lockScroll: false, closeButtonProps: CLOSE } },
    // Its place-holder for the focus is no menu item, which is all that a menu may contain.
    Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false, radius: 'md' } }),
    // A landmark of index.html: menus and toasts are not outside of everything for who listens to the page.
    Portal: Portal.extend({ defaultProps: { target: '#overlays' } }),
    Popover: Popover.extend({ defaultProps: { shadow: 'md', radius: 'md' } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 400, withArrow: false } }),
  },
})

/** The key that public/color-scheme.js reads before the first paint. */
export const colorSchemeManager = localStorageColorSchemeManager({ key: 'guddesk-color-scheme' })
