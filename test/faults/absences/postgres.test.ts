import { describeAbsences } from './absences.ts'

describeAbsences('PostgreSQL and Redis, the API and the dispatcher on two nodes', {}, true)
