using Sketch.Server.Commands;
using Sketch.Server.Hosting;
using Sketch.Storage.Embedded;

if (args is [NodeParts.ClickHouseCommand, .. string[] rest])
{
    SocketThreads.UsePool();
    return await EmbeddedClickHouse.MainAsync(rest);
}

return await CommandLine.RunAsync(args, Terminal.Process);
