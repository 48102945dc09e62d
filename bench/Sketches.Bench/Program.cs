using System.Globalization;
using BenchmarkDotNet.Running;
using Sketch.Bench.Sketches.Grids;
using Sketch.Bench.Sketches.Peers;

// "accuracy" writes tables and plots of error and coverage, "peers" compares speed and error with Apache DataSketches C++ and others,
// "interchange" lets that library read what we write; anything else is BenchmarkDotNet's.
if (args is ["accuracy", ..])
    return AccuracyGrids.Run(args.AsSpan(1));
if (args is ["peers", ..])
    return PeerComparison.Run(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 5, args.Length > 2 ? args[2] : "all");
if (args is ["interchange"])
    return InterchangeCheck.Run();
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
