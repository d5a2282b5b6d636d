import { notifications } from '@mantine/notifications'

/** Says why nothing happens for a moment. However many requests wait, it stands there once. */
export function showWaiting(seconds: number): void {
  const message = `Too many requests. This page continues automatically in ${seconds} s.`
  notifications.show({ id: 'waiting', message, autoClose: seconds * 1000 })
}
