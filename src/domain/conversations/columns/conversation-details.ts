import { z } from 'zod'
import { clearableText, jsonObject } from '../../shared/input.ts'

/**
 * The columns of a conversation that clients write as they are, when it starts and later. Each is declared here only: the
 * inputs and answers of REST and GraphQL follow. `test/repo/schema/one-field.isolated.test.ts` checks that.
 */
export const ConversationDetails = z.object({
  subject: clearableText(255).describe('The subject, at most 255 characters.'),
  metadata: jsonObject.describe('Custom data, an object of at most 16 kB. An update replaces the existing object.'),
})
