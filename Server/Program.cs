using Sketch.Server.Commands;
using Sketch.Server.Hosting;
using Sketch.Storage.Embedded;

return args is [NodeParts.ClickHouseCommand, .. string[] rest]
    ? await EmbeddedClickHouse.MainAsync(rest)
    : await CommandLine.RunAsync(args, Terminal.Process);
