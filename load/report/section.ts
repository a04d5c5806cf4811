/** What a report is made of: markdown.ts and page.ts each write the same out. */
import type { RunChart } from './runs.ts';

export interface Table {
  columns: string[];
  rows: string[][];
}

export interface Section {
  title: string;
  sentences: string[];
  tables: Table[];
  /** Only on the page. */
  charts: RunChart[];
}

export interface Report {
  title: string;
  sections: Section[];
  /** Every figure of every run: only on the page. */
  details: Section[];
}
