// A run in parts, as Nextflow tasks:
//
//   nextflow run examples/nextflow/main.nf --slides scans --out results --shards 40
//
// All parts write to one folder, which every node must see; -resume, or the same command again,
// goes on where it stopped: slides that are done stay done.
// Not run here: no Nextflow could be had. It is parsed as Groovy, and its scripts are run by tests.

params.slides = 'scans'
params.out = 'results'
params.shards = 4
params.options = ''

// Exit code 1: some slides failed and are listed; that is no reason to stop the others.
process SEGMENT {
    cpus 2
    memory '4 GB'
    errorStrategy 'retry'
    maxRetries 2

    input:
    tuple val(number), val(count), val(slides), val(out)

    output:
    val number

    script:
    """
    glisson segment '${slides}' -o '${out}' --shard ${number}/${count} --threads ${task.cpus} ${params.options} || [ \$? -eq 1 ]
    """
}

process GATHER {
    memory '4 GB'

    input:
    val numbers
    val out

    output:
    val out

    script:
    """
    glisson gather '${out}' || [ \$? -eq 1 ]
    """
}

workflow {
    def slides = file(params.slides).toAbsolutePath().toString()
    def out = file(params.out).toAbsolutePath().toString()
    def count = params.shards as int
    parts = Channel.of(1..count).map { number -> tuple(number, count, slides, out) }
    GATHER(SEGMENT(parts).collect(), out)
}
