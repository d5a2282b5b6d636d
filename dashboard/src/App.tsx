import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { RouterProvider } from 'react-router/dom'
import { router } from './routes.tsx'
import { colorSchemeManager, theme } from './theme/theme.ts'

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
      <Notifications position="bottom-right" />
    </MantineProvider>
  )
}
