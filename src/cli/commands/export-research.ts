import { Command } from 'clipanion';
import { HxCommand } from '../base.js';

export class ExportResearchCommand extends HxCommand {
  static override paths = [['export', 'research']];
  static override usage = Command.Usage({
    details:
      '`hx research` appends each run to the lake by itself. This command makes up for a lake that was lost, moved or ' +
      'damaged: it appends every finished run of `research.sqlite` that the lake lacks, and writes anew a file that ' +
      'holds anything else. What is right stays as it is, so it can be repeated, and run beside a sweep.',
    examples: [['After the lake was lost', 'hx export research']],
  });

  async execute(): Promise<void> {
    const result = await this.invoke('exportResearch', {});
    if (this.json) return this.printJson(result);
    const { runs, appended, elsewhere, mended, lake } = result;
    const isRight = appended + elsewhere + mended === 0;
    const left = elsewhere === 0 ? '' : `, ${elsewhere} left to another process that is bringing it`;
    const done = isRight ? 'all in the lake already' : `${appended} appended, ${mended} mended${left}`;
    this.print(`${runs} ${runs === 1 ? 'run' : 'runs'}: ${done}, in ${lake}`);
  }
}
