import { MantineProvider } from '@mantine/core'
import { RouterProvider } from 'react-router/dom'
import { router } from './routes.tsx'
import { colorSchemeManager, theme } from './theme/theme.ts'
import { Toasts } from './ui/Toasts.tsx'

export function App() {
  return (
    <MantineProvider
      theme={theme}
      colorSchemeManager={colorSchemeManager}
      defaultColorScheme="auto"
      // Both would be style elements written by scripts, which the page's policy forbids. theme/tokens.css has them.
      withCssVariables={false}
      withGlobalClasses={false}
    >
      <RouterProvider router={router} />
      <Toasts />
    </MantineProvider>
  )
}
