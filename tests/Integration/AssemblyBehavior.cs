// One test at a time: each has real nodes that want the whole machine, and the README's node takes the default ports.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
