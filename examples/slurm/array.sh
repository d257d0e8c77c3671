#!/bin/bash
# A run in parts, as a Slurm job array, and the parts joined when all have ended:
#
#   parts=$(sbatch --parsable --array=1-40 examples/slurm/array.sh scans results)
#   sbatch --dependency=afterany:$parts --wrap 'glisson gather results'
#
# A part that was killed or ran out of time is submitted again, such as the seventh of forty with
# PARTS=40 sbatch --array=7 ...; slides that are done stay done. gather names missing parts.
#SBATCH --job-name=glisson
#SBATCH --cpus-per-task=2
#SBATCH --mem=4G
#SBATCH --time=04:00:00

set -u
slides=$1 out=$2
shift 2
# SLURM_ARRAY_TASK_COUNT is of this submission, so that a part alone has to be told: PARTS=40.
parts=${PARTS:-$SLURM_ARRAY_TASK_COUNT}
# Exit code 1: some slides failed and are listed; the part itself went well.
glisson segment "$slides" -o "$out" --shard "$SLURM_ARRAY_TASK_ID/$parts" \
    --threads "${SLURM_CPUS_PER_TASK:-2}" "$@" ||
    { code=$?; [ $code -eq 1 ] || exit $code; }
