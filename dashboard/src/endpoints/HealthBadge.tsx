import type { EndpointFieldsFragment } from '../generated/documents.ts'
import { Mark } from '../ui/layout/Mark.tsx'
import { healthOf } from './health.ts'

export function HealthBadge({ endpoint }: { readonly endpoint: EndpointFieldsFragment }) {
  return <Mark {...healthOf(endpoint)} />
}
