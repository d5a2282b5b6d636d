import { describeAbsences } from './absences.ts'

describeAbsences('embedded', { DATABASE_URL: '', REDIS_URL: '' }, false)
