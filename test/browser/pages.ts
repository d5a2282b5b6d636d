export const DESKTOP = { width: 1440, height: 900 }
export const PHONE = { width: 390, height: 844 }

/** Every page of a workspace, with what tells that it is there. New pages are added here. */
export const PAGES = [
  { name: 'inbox', path: '/w/acme/inbox/open' },
  { name: 'inbox-empty', path: '/w/acme/inbox/open?q=unheard+of' },
  { name: 'live', path: '/w/acme/live' },
  { name: 'live-day', path: '/w/acme/live?range=day' },
  { name: 'settings', path: '/w/acme/settings' },
  { name: 'webhooks', path: '/w/acme/settings/webhooks' },
  { name: 'agents', path: '/w/acme/settings/agents' },
  { name: 'api-keys', path: '/w/acme/settings/api-keys' },
  { name: 'members', path: '/w/acme/settings/members' },
  { name: 'audit-log', path: '/w/acme/settings/audit-log' },
  { name: 'workspace', path: '/w/acme/settings/workspace' },
  { name: 'profile', path: '/w/acme/profile' },
  { name: 'not-found', path: '/w/acme/nothing-here' },
] as const

/** Before signing in. */
export const DOORS = [{ name: 'sign-in', path: '/sign-in' }] as const

const WEBHOOKS = '/w/acme/settings/webhooks'
const AGENTS = '/w/acme/settings/agents'

/** What can be opened over a page, by what is done to open it. `isPage`: it fills the window, so a phone and the dark are looked at, too. */
export const OVERLAYS = [
  { name: 'command-palette', path: '/w/acme/inbox/open', keys: ['Control+k'] },
  { name: 'shortcuts', path: '/w/acme/inbox/open', keys: ['?'] },
  { name: 'conversation', isPage: true, path: '/w/acme/inbox/open', keys: ['j'] },
  { name: 'assign', path: '/w/acme/inbox/open', keys: ['j', 'wait', 'a'] },
  { name: 'snooze', path: '/w/acme/inbox/open', keys: ['j', 'wait', 's'] },
  { name: 'tags', path: '/w/acme/inbox/open', keys: ['j', 'wait', 't'] },
  { name: 'note', path: '/w/acme/inbox/open', keys: ['j', 'wait', 'n'] },
  { name: 'endpoint-add', isPage: true, path: WEBHOOKS, presses: ['Add Endpoint'] },
  { name: 'endpoint', isPage: true, path: WEBHOOKS, presses: ['http'] },
  { name: 'endpoint-test', path: WEBHOOKS, presses: ['http', 'Send test event'] },
  { name: 'endpoint-edit', path: WEBHOOKS, presses: ['http', 'Edit'] },
  { name: 'endpoint-rotate', path: WEBHOOKS, presses: ['http', 'More actions', 'Rotate secret'] },
  { name: 'endpoint-replay', path: WEBHOOKS, presses: ['http', 'More actions', 'Replay failed'] },
  { name: 'endpoint-delete', path: WEBHOOKS, presses: ['http', 'More actions', 'Delete'] },
  { name: 'delivery', isPage: true, path: WEBHOOKS, presses: ['http', 'message.created'] },
  { name: 'agent-install', isPage: true, path: AGENTS, presses: ['Install Agent'] },
  { name: 'agent', isPage: true, path: AGENTS, presses: ['RefundBot'] },
  { name: 'agent-edit', path: AGENTS, presses: ['RefundBot', 'Edit'] },
  { name: 'agent-rotate-key', path: AGENTS, presses: ['RefundBot', 'More actions', 'Rotate API key'] },
  { name: 'agent-uninstall', path: AGENTS, presses: ['RefundBot', 'More actions', 'Uninstall'] },
] as const
