import type { EndpointFieldsFragment } from '../generated/documents.ts'

export interface Health {
  readonly tone: 'good' | 'warn' | 'bad' | 'idle'
  readonly label: string
}

/** How an endpoint is getting on, in a word or two. */
export function healthOf(endpoint: EndpointFieldsFragment): Health {
  if (endpoint.disabledReason !== null) return { tone: 'bad', label: 'Disabled automatically' }
  if (!endpoint.isEnabled) return { tone: 'idle', label: 'Disabled' }
  if (endpoint.failingSince !== null) return { tone: 'bad', label: 'Failing' }
  if (endpoint.lastSuccessAt !== null) return { tone: 'good', label: 'Healthy' }
  return { tone: 'idle', label: 'Not used yet' }
}

/** `99.2 % delivered in 24 hours`. Never rounded up to a hundred. */
export function rateText(rate: number): string {
  return `${(Math.floor(rate * 1000) / 10).toLocaleString()} %`
}

/** Attempts that failed in a row: `1 failure`. */
export function failuresText(count: number): string {
  return count === 1 ? '1 failed attempt' : `${count.toLocaleString()} failed attempts in a row`
}
