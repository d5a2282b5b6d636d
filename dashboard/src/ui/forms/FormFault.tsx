import { Alert } from '@mantine/core'
import { CircleAlert } from 'lucide-react'

interface FormFaultProps {
  /** null shows nothing. */
  readonly message: string | null
}

/** Why a form was refused, above its button; read out when it appears. */
export function FormFault({ message }: FormFaultProps) {
  return (
    <div role="alert">
      {message !== null && (
        <Alert color="red" variant="light" icon={<CircleAlert size={16} />}>
          {message}
        </Alert>
      )}
    </div>
  )
}
