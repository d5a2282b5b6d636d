import type { Refused } from '../../api/useAction.ts'

/** The form's fields, as the server names them. */
export const WORKSPACE_PATHS = ['name', 'slug']

/** A conflict is one of the address: that is what another workspace can have already. */
export function atField(refused: Refused): Refused {
  return refused.code === 'conflict' ? { ...refused, fields: [{ path: 'slug', message: refused.message }] } : refused
}
