using Sketch.Server.Commands;

return await CommandLine.RunAsync(args, Terminal.Process);
