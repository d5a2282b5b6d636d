import { Alert, Button } from '@mantine/core'
import { EyeOff } from 'lucide-react'
import { CopyField } from '../../ui/copy/CopyField.tsx'
import classes from '../../ui/forms/form.module.css'
import { useStay } from '../../ui/forms/useStay.ts'
import { useWorkspace } from '../../viewer/workspace.ts'
import type { NewKey } from './CreateKeyForm.tsx'

interface ShownKeyProps {
  readonly made: NewKey
  readonly onSaved: () => void
}

/** The only time that a key is shown. Neither a link nor the browser's back button leads away from it. */
export function ShownKey({ made: { key, isForAllWorkspaces }, onSaved }: ShownKeyProps) {
  const { workspace } = useWorkspace()
  useStay()
  const query = isForAllWorkspaces ? `?workspaceId=${workspace.id}` : ''
  const curl = `curl -H 'Authorization: Bearer ${key}' '${location.origin}/api/v1/conversations${query}'`
  return (
    <div className={classes.form}>
      <Alert color="yellow" variant="light" icon={<EyeOff size={16} />}>
        This key is shown only once. Store it with your secrets. If you lose it, create another one.
      </Alert>
      <CopyField label="Key" value={key} />
      <CopyField label="Try it" value={curl} isLong />
      <div className={classes.actions}>
        <Button onClick={onSaved}>I have saved it</Button>
      </div>
    </div>
  )
}
