export type { AuditedRule, AuditReport, Finding } from '../ports/audit-report.ts';
