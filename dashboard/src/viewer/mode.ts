/**
 * Whether this is a deployment for development, where what only helps to try things out is offered. The server says so in
 * the page; the page with hot reload comes from another server, and is for nothing else.
 */
export const IS_DEVELOPMENT = document.documentElement.dataset['mode'] === 'development' || import.meta.env.DEV
