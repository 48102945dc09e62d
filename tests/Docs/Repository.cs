using System.Xml.Linq;

namespace Sketch.Tests.Docs;

/// <summary>The repository as it lies on disk.</summary>
internal static class Repository
{
    // Not ours, or not kept: what builds and tools leave behind.
    private static readonly string[] Ignored = ["bin", "obj", "node_modules", "dist", "artifacts", "TestResults", "data", ".git"];

    /// <summary>Its folder.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The top folders.</summary>
    public static IEnumerable<string> TopFolders => Directory.GetDirectories(Root)
        .Select(folder => Path.GetFileName(folder))
        .Where(name => !Ignored.Contains(name) && !name.StartsWith('.'));

    /// <summary>Every file with an ending, relative paths.</summary>
    public static IEnumerable<string> Files(string ending) => Files(Root, ending).Select(file => Path.GetRelativePath(Root, file));

    /// <summary>The rooms that a project file names.</summary>
    public static HashSet<string> ProjectReferences(string room)
    {
        string project = Path.Combine(Root, room, room + ".csproj");
        return XDocument.Load(project).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(((string)reference.Attribute("Include")!).Replace('\\', '/')))
            .ToHashSet();
    }

    private static IEnumerable<string> Files(string folder, string ending) => Directory.GetFiles(folder)
        .Where(file => file.EndsWith(ending, StringComparison.Ordinal))
        .Concat(Directory.GetDirectories(folder).Where(sub => !Ignored.Contains(Path.GetFileName(sub))).SelectMany(sub => Files(sub, ending)));

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Sketch.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("Sketch.sln is in no folder above the tests.");
    }
}
