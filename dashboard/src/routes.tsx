import { createBrowserRouter, Navigate, Outlet } from 'react-router'
import { InboxPage } from './pages/inbox/InboxPage.tsx'
import { SessionGate } from './session/SessionGate.tsx'
import { ToWorkspace } from './shell/ToWorkspace.tsx'
import { WorkspaceShell } from './shell/WorkspaceShell.tsx'
import { Splash } from './ui/layout/Splash.tsx'
import { NotFound } from './ui/states/NotFound.tsx'
import { RouteError } from './ui/states/RouteError.tsx'

/**
 * Every address of the dashboard. What somebody opens first is in the first script; every other page is loaded when it is
 * opened: its folder's index exports it as `Component`.
 */
export const router = createBrowserRouter([
  {
    Component: Outlet,
    ErrorBoundary: RouteError,
    HydrateFallback: Splash,
    children: [
      { path: 'sign-in', lazy: () => import('./pages/sign-in/SignInPage.tsx') },
      { path: 'invitations/:token', lazy: () => import('./pages/invitation/InvitationPage.tsx') },
      {
        Component: SessionGate,
        children: [
          { index: true, Component: ToWorkspace },
          {
            path: 'w/:slug',
            Component: WorkspaceShell,
            children: [
              {
                ErrorBoundary: RouteError,
                children: [
                  { index: true, element: <Navigate to="inbox/open" replace /> },
                  { path: 'inbox', element: <Navigate to="open" replace /> },
                  { path: 'inbox/:view/:conversationId?', Component: InboxPage },
                  { path: 'live', lazy: () => import('./pages/live/LivePage.tsx') },
                  { path: 'profile', lazy: () => import('./pages/profile/ProfilePage.tsx') },
                  {
                    path: 'settings',
                    children: [
                      { index: true, lazy: () => import('./pages/settings/SettingsPage.tsx') },
                      { path: 'webhooks/*', lazy: () => import('./pages/webhooks/WebhooksPage.tsx') },
                      { path: 'agents/*', lazy: () => import('./pages/agents/AgentsPage.tsx') },
                      { path: 'api-keys/*', lazy: () => import('./pages/api-keys/ApiKeysPage.tsx') },
                      { path: 'members/*', lazy: () => import('./pages/members/MembersPage.tsx') },
                      { path: 'audit-log/*', lazy: () => import('./pages/audit-log/AuditLogPage.tsx') },
                      { path: 'workspace/*', lazy: () => import('./pages/workspace/WorkspacePage.tsx') },
                    ],
                  },
                  { path: '*', Component: NotFound },
                ],
              },
            ],
          },
        ],
      },
      { path: '*', Component: NotFound },
    ],
  },
])
