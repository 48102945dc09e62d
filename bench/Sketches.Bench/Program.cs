using BenchmarkDotNet.Running;
using Sketch.Bench.Sketches.Grids;

// "accuracy" writes tables and plots of error and coverage; anything else is BenchmarkDotNet's.
if (args is ["accuracy", ..])
    return AccuracyGrids.Run(args.AsSpan(1));
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
