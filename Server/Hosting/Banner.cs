using System.Globalization;

namespace Sketch.Server.Hosting;

/// <summary>What a node prints when it starts.</summary>
internal static class Banner
{
    /// <summary>Written once the ports are known.</summary>
    public static void Write(TextWriter output, Node node, ServeOptions options)
    {
        output.WriteLine($"Sketch {Product.Version}, node {options.Node}, data in {options.Data}");
        output.WriteLine($"  Dashboard  {Plain(node.Http)}");
        output.WriteLine($"  REST       {Plain(node.Http)}/v1  (described at /openapi/v1.json)");
        output.WriteLine($"  SQL        {Plain(node.Sql)}  (ClickHouse's HTTP interface, read-only)");
        Notice(output, "--grpc-port", options.GrpcPort?.ToString(CultureInfo.InvariantCulture));
        Notice(output, "--resp-port", options.RespPort?.ToString(CultureInfo.InvariantCulture));
        Notice(output, "--nats", options.Nats?.ToString());
    }

    /// <summary>Written once the node counts.</summary>
    public static void WriteReady(TextWriter output, Node node, TimeSpan elapsed)
    {
        if (node.SendsDemo)
            output.WriteLine($"Demo traffic flows into the namespace {DemoTraffic.Namespace} until you make one of your own; --no-demo forbids it.");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Ready in {elapsed.TotalSeconds:0.0} s. Ctrl+C stops."));
        output.Flush();
    }

    private static void Notice(TextWriter output, string option, string? value)
    {
        if (value is not null)
            output.WriteLine($"  Notice     {option} {value}: this version has no listener for it; ignored");
    }

    private static string Plain(Uri url) => url.GetLeftPart(UriPartial.Authority);
}
