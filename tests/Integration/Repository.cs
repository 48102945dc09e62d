namespace Sketch.Tests.Integration;

/// <summary>Where things are in a checkout.</summary>
internal static class Repository
{
    /// <summary>The folder of Sketch.sln.</summary>
    public static string Root { get; } = Find();

    /// <summary>The built `sketch`, of the configuration that the tests were built with.</summary>
    public static string SketchExecutable { get; } = Path.Combine(
        Root, "Server", "bin", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "net10.0", "sketch");

    private static string Find()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Sketch.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException($"{AppContext.BaseDirectory} is not below a folder with Sketch.sln.");
    }
}
