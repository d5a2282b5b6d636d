import type { FieldFault, Refused } from '../../api/useAction.ts'

/** Which fields of a workspace are at fault: what a workspace has to itself, and another one can have already, is its address. */
export function faultsOf({ code, message, fields }: Refused): readonly FieldFault[] {
  return code === 'conflict' ? [{ path: 'slug', message }] : fields
}
